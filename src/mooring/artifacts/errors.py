"""Why a model is not in the cache."""

from mooring.errors import MooringError


class ArtifactError(MooringError):
    """A model could not be brought here; nothing of it was left behind."""

    status = 500
    code = "01000500"


class UnusableUri(ArtifactError):
    """The URI names no place that we know how to read, or one that may not be read."""

    status = 400
    code = "01000400"


class ModelMissing(ArtifactError):
    """There is nothing there: no such version, alias, run or folder."""

    status = 404
    code = "01000404"


class SourceAway(ArtifactError):
    """The server that has it does not answer, or not as it should. Trying again later may help."""

    status = 503
    code = "01000503"


class UnsafeContent(ArtifactError):
    """The source lists names that would be written outside of the model's folder, or more than is allowed."""


class NoRoom(ArtifactError):
    """The disk of the cache is full."""

    status = 503
    code = "01000503"


class TookTooLong(ArtifactError):
    """Not here within the deadline."""

    status = 503
    code = "01000503"
