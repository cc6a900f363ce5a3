"""Dataset files."""

from mooring.api.schemas.common import Shape


class DatasetFileCreated(Shape):
    """The answer to an upload; `url` is what artifacts refer to."""

    message: str
    url: str
