"""The `content-type` of a request."""

from mooring.modelserver.errors import UnsupportedMediaType


def media_type(content_type: str | None, supported: tuple[str, ...]) -> str:
    """The media type without its parameters; the first supported one when the header is missing.

    Raises UnsupportedMediaType for another type, another charset than UTF-8, or any other parameter.
    """
    if not content_type or not content_type.strip():
        return supported[0]
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() not in supported:
        raise UnsupportedMediaType(f"content type '{kind}' is not supported: use {', '.join(supported)}")
    for parameter in filter(None, parameters):
        key, _, value = parameter.partition("=")
        if key.strip().lower() != "charset" or value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"content type parameter '{parameter}' is not supported: use charset=utf-8")
    return kind.lower()
