"""What a kubeconfig says about the cluster of its current context. No credentials are read from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from mooring.compat.errors import CompatError

_LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Cluster:
    """`domain` is that under which Kyma's gateway gives host names."""

    server: str
    domain: str
    namespace: str


def read_cluster(path: Path) -> Cluster:
    """Raises CompatError."""
    document = _document(path)
    chosen = document.get("current-context")
    if not chosen:
        raise CompatError(f"{path} has no current-context: choose one with `kubectl config use-context NAME`")
    context = _named(document, "contexts", chosen, path).get("context") or {}
    cluster = _named(document, "clusters", context.get("cluster"), path).get("cluster") or {}
    server = str(cluster.get("server") or "")
    return Cluster(server, _domain(server, path), str(context.get("namespace") or "default"))


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise CompatError(f"{path} is larger than a kubeconfig can be ({_LARGEST_BYTES} bytes)")
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise CompatError(f"the kubeconfig {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise CompatError(f"the kubeconfig {path} is no YAML") from None  # the error would show a part of it
    if not isinstance(document, dict):
        raise CompatError(f"the kubeconfig {path} is no YAML object")
    return document


def _named(document: dict[str, Any], kind: str, name: object, path: Path) -> dict[str, Any]:
    entries = document.get(kind)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise CompatError(f"{path} names {name!r}, which is not among its {kind}")


def _domain(server: str, path: Path) -> str:
    """The server is https://api.<domain>, with or without a port."""
    host = urlsplit(server).hostname or ""
    _, _, domain = host.partition(".")
    if "." not in domain or host.replace(".", "").isdecimal():
        raise CompatError(
            f"{path}: the cluster's server {server!r} is not https://api.<domain>, so the domain of its services is "
            "not known: use the kubeconfig that Kyma's console gives"
        )
    return domain
