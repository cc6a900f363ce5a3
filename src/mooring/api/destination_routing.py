"""After a destination has changed, its new way is in use when the change is answered."""

import logging

from mooring.api.context import ApiContext

_logger = logging.getLogger(__name__)


def tell_the_gateway(context: ApiContext) -> None:
    """Publish the routes. The change is kept in any case, and published every second until it has worked."""
    try:
        context.route()
    except Exception:  # the change was made: saying that it failed would have it made once more
        _logger.exception("the gateway could not be told of a destination at once")
