"""A container as a template describes it, with all placeholders filled: what is kept of it in the store.

Secrets are named here, never opened: their values are put in when a copy is started.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


class PullPolicy(Enum):
    """When an image is asked for at its registry, in Kubernetes' words."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


@dataclass(frozen=True)
class SecretKey:
    """One value of a generic secret. A missing one is an error unless it is `optional`."""

    secret: str
    key: str
    optional: bool = False


@dataclass(frozen=True)
class Variable:
    """One environment variable: a value, or one of a secret."""

    name: str
    value: str = ""
    secret: SecretKey | None = None


@dataclass(frozen=True)
class AllOfSecret:
    """An environment variable per key of a generic secret, its name behind `prefix`."""

    secret: str
    prefix: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Volume:
    """Something mounted at `path`: the files of a generic secret (read-only), or else an empty folder of its own.

    `items`: only these keys, each under this relative path. Mounts that show the same empty folder name it alike.
    """

    path: str
    name: str
    secret: str | None = None
    items: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    read_only: bool = False
    sub_path: str = ""


@dataclass(frozen=True)
class Container:
    """`command` replaces the image's entry point (None keeps it), `args` its command.

    `user` and `group` are numbers; None leaves them to the image, which then must not be root's where that can be
    seen. `resource_plan` is one of `mooring.domain.resource_plans`.
    """

    image: str
    resource_plan: str
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    variables: tuple[Variable, ...] = ()
    from_secrets: tuple[AllOfSecret, ...] = ()
    volumes: tuple[Volume, ...] = ()
    working_dir: str = ""
    pull_policy: PullPolicy | None = None
    pull_secrets: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None
    read_only_root: bool = False


def to_json(value: Any) -> Any:
    """A dataclass of this room as JSON for the store."""
    return _adapter(type(value)).dump_python(value, mode="json")


def from_json(kind: type[T], document: Mapping[str, Any]) -> T:
    """Back from the store. Raises ValueError for what this version does not know."""
    found: T = _adapter(kind).validate_python(document)
    return found


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made at the first use: building one takes milliseconds."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
