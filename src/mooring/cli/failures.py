"""Which exceptions are answers to a person, and not defects."""


def expected_failures() -> tuple[type[Exception], ...]:
    """Imported late: these rooms are not needed for `--help`."""
    from pydantic import ValidationError

    from mooring.client.errors import ClientError
    from mooring.errors import MooringError
    from mooring.system.errors import CannotStart

    return (CannotStart, MooringError, ClientError, ValidationError)
