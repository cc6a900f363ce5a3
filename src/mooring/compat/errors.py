"""What the functions of this room raise."""


class CompatError(Exception):
    """It cannot be done; the message names what is wrong and the way out."""


class PredictionFailed(CompatError):
    """The server refused or failed; `status` is its HTTP status, 0 when there was no answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotYetPossible(CompatError):
    """Everything is checked and in order, but the rest is not built yet."""
