"""Where a model may come from, and what it is called there.

A caller with a token chooses the URI, and the model server opens it with the operator's rights. So a URI leads to the
registry or to a store that the operator has credentials for; a local folder only when the operator lists its parent.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from mooring.errors import InvalidRequest

FORMS = (
    "models:/<name>/<version>, models:/<name>@<alias>, models:/<model id>, runs:/<run id>/<path>, "
    "mlflow-artifacts:/<path>, s3://, gs://, abfss://, wasbs:// and https://"
)
_STORES = frozenset({"s3", "gs", "abfss", "wasbs", "https"})
_TRACKED = frozenset({"models", "runs", "mlflow-artifacts"})
_LOGGED_MODEL = re.compile(r"m-[0-9a-f]{32}")
_VERSION = re.compile(r"[A-Za-z0-9]{1,50}")
_LONGEST = 2048


@dataclass(frozen=True)
class ModelSource:
    """A model URI that was checked. `name` and `version` are what the registry, or else the path, says."""

    uri: str
    name: str
    version: str


def parse(uri: str, *, local_folders: Sequence[Path] = ()) -> ModelSource:
    """Check a model URI. Raises InvalidRequest, naming what is allowed."""
    _refuse_odd_text(uri)
    parts = _split(uri)
    if parts.scheme in ("", "file"):
        return _local(uri, parts, local_folders)
    if parts.scheme in _TRACKED:
        return _tracked(uri, parts)
    if parts.scheme in _STORES:
        return _stored(uri, parts)
    raise _refused(uri, f"the scheme {parts.scheme!r} is not supported")


def _refuse_odd_text(uri: str) -> None:
    if not uri or len(uri) > _LONGEST:
        raise _refused(uri[:80], f"it has {len(uri)} characters; 1 to {_LONGEST} are allowed")
    decoded = unquote(unquote(uri))
    if not decoded.isprintable() or "\\" in decoded:
        raise _refused(uri, "it holds a control character or a backslash")
    if ".." in re.split(r"[/;?#]", decoded):
        raise _refused(uri, "a path may not contain '..'")


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # looked at here, because it raises
    except ValueError as error:
        raise _refused(uri, str(error)) from None
    return parts


def _tracked(uri: str, parts: SplitResult) -> ModelSource:
    path = uri.partition(":")[2]
    if not path.startswith("/") or path.startswith("//"):
        # With a host, the registry's credentials would be sent to whichever host the caller names.
        raise _refused(uri, f"write {parts.scheme}:/ with one slash; another host cannot be named")
    path = path[1:]
    if parts.scheme == "models":
        return _registered(uri, path)
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) < 2:
        raise _refused(uri, "it names no model inside the run or the folder")
    return ModelSource(uri, segments[-1], "1")


def _registered(uri: str, path: str) -> ModelSource:
    if _LOGGED_MODEL.fullmatch(path):
        return ModelSource(uri, path, "1")
    separator = "@" if "@" in path and "/" not in path else "/"
    name, _, version = path.rpartition(separator)
    pattern = _VERSION if separator == "/" else re.compile(r"[\w.-]{1,256}", re.ASCII)
    if not name or "/" in name or ":" in name or not pattern.fullmatch(version):
        raise _refused(uri, "it names no version, alias or model id of the registry")
    return ModelSource(uri, name, version)


def _stored(uri: str, parts: SplitResult) -> ModelSource:
    if not parts.hostname:
        raise _refused(uri, "it names no bucket, container or host")
    if parts.password is not None or (parts.scheme in ("https", "s3", "gs") and parts.username is not None):
        raise InvalidRequest("modelUri holds a user name or a password: credentials do not belong into a URI")
    if parts.scheme == "https":
        _refuse_internal_host(uri, parts.hostname)
    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    if not segments:
        raise _refused(uri, "it names no folder")
    return ModelSource(uri, segments[-1], "1")


def _refuse_internal_host(uri: str, host: str) -> None:
    name = host.rstrip(".")
    address = _as_address(name)
    if address is None:
        internal = "." not in name or name.endswith((".localhost", ".local", ".internal"))
    else:
        internal = not address.is_global
    if internal:
        raise _refused(uri, f"{host!r} is not a public host")


def _as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as; also in the forms that only C libraries read (127.1, 0x7f.0.0.1)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _local(uri: str, parts: SplitResult, allowed: Sequence[Path]) -> ModelSource:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise _refused(uri, "a local folder needs an absolute path")
    # Resolved, so that a link cannot lead out of the folders that the operator listed.
    folder = Path(unquote(parts.path) if parts.scheme else uri).resolve()
    if not any(folder.is_relative_to(root.resolve()) for root in allowed):
        raise _refused(uri, "local folders cannot be deployed unless the operator allows it")
    return ModelSource(str(folder), folder.name, "1")


def _refused(uri: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"modelUri {uri!r} cannot be used: {reason}. Allowed: {FORMS}.")
