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


def in_words(error: Exception) -> str:
    """What is told: what to do next where nothing answers, and variables by name, without what they hold."""
    from pydantic import ValidationError

    from mooring.client.errors import Unreachable

    match error:
        case Unreachable():
            return f"{error}. `mooring status` shows what runs here, `mooring up` starts it"
        case ValidationError(title="Settings"):
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            return "; ".join(f"{_variable(each['loc'])}: {each['msg']}" for each in wrong)
    return str(error)


def _variable(place: tuple[int | str, ...]) -> str:
    """The environment's name of a setting."""
    return f"MOORING_{place[0]}".upper() if place else "settings"
