"""Why a model or another artifact is not where it should be."""

from mooring.errors import MooringError


class ArtifactError(MooringError):
    """Something could not be brought here, or taken away from here; nothing of it was left behind."""

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


class NotThere(ArtifactError):
    """The object store has no such object, and nothing below such a prefix."""

    status = 404
    code = "01000404"


class BucketMissing(ArtifactError):
    """The object store has no bucket (or container) of the name in the secret."""

    status = 400
    code = "01000400"


class WrongCredentials(ArtifactError):
    """The object store does not accept the secret's credentials, or they may not do this."""

    status = 400
    code = "01000400"


class StoreRefuses(ArtifactError):
    """The object store understands us and says no; trying again would not help."""

    status = 400
    code = "01000400"


class ChangedMeanwhile(ArtifactError):
    """What lies there was changed while it was read, twice in a row."""

    status = 503
    code = "01000503"


class CameDamaged(SourceAway):
    """What came is not what the store says that it has."""


class DamagedArchive(ArtifactError):
    """It begins as a tar.gz and does not go on as one."""


class Unstorable(ArtifactError):
    """What is to be stored has something in it that object stores cannot hold, or that is not its own."""

    status = 400
    code = "01000400"
