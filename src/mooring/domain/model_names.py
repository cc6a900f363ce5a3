"""How a registered model is named in a URL."""

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,100}")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9._-]+")
_LOOKS_MADE = re.compile(r"--[0-9a-f]{10}$")
_KEPT_CHARACTERS = 60


def url_name(model_name: str) -> str:
    """The `{name}` of `/models/{name}/…` for a registered model: always `[A-Za-z0-9._-]+`, at most 100 characters.

    A name that is safe stays as it is. Any other becomes its safe characters (runs of others are one `-`), cut to
    60, then `--` and ten hexadecimal digits of its SHA-256. A safe name that ends like a made one is made too, so
    that no name can be chosen to take another one's URL.
    """
    if _SAFE.fullmatch(model_name) and not _LOOKS_MADE.search(model_name) and model_name.strip("."):
        return model_name
    readable = _UNSAFE_RUN.sub("-", model_name)[:_KEPT_CHARACTERS].strip("-.") or "model"
    digest = hashlib.sha256(model_name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{readable}--{digest}"
