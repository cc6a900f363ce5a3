"""Which exceptions are answers to a person, and not defects."""


class CannotReach(Exception):
    """What was to be asked does not answer."""


def expected_failures() -> tuple[type[Exception], ...]:
    """Imported late: these rooms are not needed for `--help`."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError
    from sqlalchemy.exc import SQLAlchemyError

    from mooring.client.errors import ApiError
    from mooring.errors import MooringError
    from mooring.gateway.errors import GatewayError
    from mooring.store.migrate import UnknownSchema
    from mooring.system.errors import CannotStart

    return (
        CannotReach,
        OSError,
        SQLAlchemyError,
        UnknownSchema,
        CannotStart,
        MooringError,
        ApiError,
        GatewayError,
        SettingsError,
        ValidationError,
    )
