"""What can go wrong between us and Envoy."""

from mooring.errors import Unavailable


class GatewayError(Unavailable):
    """Envoy is missing, does not start, does not answer, or refuses its configuration."""
