"""A concrete place where a model lies: resolved, and the same tomorrow."""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mooring.artifacts.errors import ModelMissing, UnusableUri

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FOREIGN = frozenset(
    ["s3", "r2", "b2", "gs", "wasb", "wasbs", "abfs", "abfss", "http", "https", "ftp", "sftp", "hdfs", "viewfs", "dbfs"]
)  # fmt: skip


class Kind(Enum):
    """How it is fetched."""

    FOLDER = "folder"
    PROXY = "proxy"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Source:
    """`location`: a folder; a path below an MLflow server's artifact proxy (`server`); or the URI of a foreign store.

    Stores can be asked for changed content only by fetching: a foreign location counts as unchanged.
    """

    kind: Kind
    location: str
    server: str = ""
    fingerprint: str = ""

    @property
    def key(self) -> str:
        """64 hexadecimal digits that stand for exactly this."""
        facts = [self.kind.value, self.location, self.server, self.fingerprint]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def source_of(location: str, tracking_uri: str | None) -> Source:
    """The source at a location that is neither `models:` nor `runs:`. Raises UnusableUri, ModelMissing."""
    scheme = match[1].lower() if (match := _SCHEME.match(location)) else ""
    if scheme == "mlflow-artifacts":
        return _proxied(location, tracking_uri)
    if scheme in ("", "file"):
        return _folder(location)
    if scheme in _FOREIGN:
        return Source(Kind.FOREIGN, location)
    raise UnusableUri(f"{location}: cannot read from {scheme}:, use models:, runs:, a folder or an object store")


def _proxied(location: str, tracking_uri: str | None) -> Source:
    if not tracking_uri:
        raise UnusableUri(f"{location}: no MLflow server is configured (--mlflow-uri)")
    place = urlsplit(location)
    # Our credentials are for the configured server: a registered model must not send them elsewhere.
    if place.netloc and place.netloc != urlsplit(tracking_uri).netloc:
        raise UnusableUri(f"{location}: names another server than the configured {_shown(tracking_uri)}")
    path = location.split(":", 1)[1].removeprefix(f"//{place.netloc}").strip("/")
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        raise UnusableUri(f"{location}: its path is empty or not in plain form")
    return Source(Kind.PROXY, path, server=tracking_uri.rstrip("/"))


def _folder(location: str) -> Source:
    path = location
    if location.lower().startswith("file:"):
        place = urlsplit(location)
        if place.netloc not in ("", "localhost"):
            raise UnusableUri(f"{location}: names a folder of another machine ({place.netloc})")
        path = unquote(place.path)
    folder = Path(path).absolute()
    if not folder.is_dir():
        raise ModelMissing(f"{location}: there is no folder {folder}")
    return Source(Kind.FOLDER, str(folder), fingerprint=_fingerprint(folder))


def _fingerprint(folder: Path) -> str:
    """Changes with any name, size or time of modification in it."""
    facts = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        size = status.st_size if path.is_file() else -1
        facts.update(f"{path.relative_to(folder)}\0{size}\0{status.st_mtime_ns}\0".encode("utf-8", "replace"))
    return facts.hexdigest()


def _shown(tracking_uri: str) -> str:
    return urlsplit(tracking_uri).netloc.rpartition("@")[2]
