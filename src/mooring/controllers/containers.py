"""From a container as a template describes it to one that a runtime can start: secrets opened, folders made."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from mooring.domain.containers import Container, SecretKey, Volume
from mooring.errors import InvalidRequest, NotFound
from mooring.files import write_atomically
from mooring.runtimes.base import ContainerSpec, ImageRequest, Limits, Mount, Readiness
from mooring.services import docker_registry_secrets, generic_secrets
from mooring.store.vault import Vault
from mooring.templates.container_values import LONGEST_TEXT_BYTES

Values = Mapping[str, bytes]
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*", re.ASCII)
_FILE = re.compile(r"[-._a-zA-Z0-9]{1,253}", re.ASCII)
_VOLUMES = "volumes"
_ITSELF = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FOR_ITS_USER, _FOR_ALL, _READ_BY_ALL = 0o755, 0o777, 0o444
"""The container's user is not ours. Nobody else of this machine gets there: `_VOLUMES` is open to us alone."""


@dataclass(frozen=True)
class OpenedSecrets:
    """What a container gets of secrets: variables, and per secret volume (by its path) the files. Never shown."""

    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, Values] = field(default_factory=dict, repr=False)


def open_secrets(session: Session, vault: Vault, group: str, container: Container) -> OpenedSecrets:
    """All values that the container asks for, as they are now.

    Raises NotFound, naming secret and key; InvalidRequest for a value that cannot be used so; CannotOpen
    (`mooring.store.vault`).
    """
    known: dict[str, Values | None] = {}

    def values(name: str, *, optional: bool) -> Values | None:
        if name not in known:
            known[name] = _opened(session, vault, group, name)
        if known[name] is None and not optional:
            raise NotFound(
                f"there is no secret {name!r} in the resource group {group!r}, nor one for all groups: "
                "create it with POST /v2/admin/secrets"
            )
        return known[name]

    env: dict[str, str] = {}
    for source in container.from_secrets:
        found = values(source.secret, optional=source.optional) or {}
        env.update(_variables(source.secret, source.prefix, found))
    for variable in container.variables:
        env.pop(variable.name, None)
        if variable.secret is None:
            continue
        value = _value(variable.secret, values(variable.secret.secret, optional=variable.secret.optional))
        if value is not None:
            env[variable.name] = _as_text(value, variable.secret.secret, variable.secret.key)
    files = {
        volume.path: _files(volume, values(volume.secret, optional=volume.optional) or {})
        for volume in container.volumes
        if volume.secret is not None
    }
    return OpenedSecrets(env, files)


def registry_credentials(session: Session, vault: Vault, container: Container) -> dict[str, Any]:
    """The `config.json` for the container's image: the credentials of all its pull secrets, and nothing else of them.

    (A Docker config can also name programs to be run; those are left out.) The first secret that names a registry
    counts. Raises NotFound, CannotOpen.
    """
    auths: dict[str, Any] = {}
    for name in container.pull_secrets:
        for registry, entry in docker_registry_secrets.opened(session, vault, name).get("auths", {}).items():
            auths.setdefault(registry, entry)
    return {"auths": auths} if auths else {}


def image_request(container: Container, credentials: Mapping[str, Any]) -> ImageRequest:
    """What `Runtime.prepare` is asked for."""
    return ImageRequest(container.image, container.pull_policy, credentials)


def container_spec(
    container: Container,
    opened: OpenedSecrets,
    *,
    image: str,
    workspace: Path,
    mounts: Sequence[Mount] = (),
    outputs: Sequence[str] = (),
    readiness: Readiness | None = None,
    env: Mapping[str, str] | None = None,
    network: str = "default",
    limits: Limits | None = None,
    stop_grace_seconds: float = 30.0,
) -> ContainerSpec:
    """What the runtime starts; `image` is what its `prepare` has returned, `env` beats what the template says.

    Makes the folders and files of the container's volumes in `workspace`, a folder of this run alone. May be repeated.
    Raises OSError, NotFound (a volume shows a file that its secret does not have), InvalidRequest.
    """
    plain = {variable.name: variable.value for variable in container.variables if variable.secret is None}
    return ContainerSpec(
        image=image,
        command=container.command,
        args=container.args,
        env={**plain, **opened.env, **(env or {})},
        mounts=(*_volumes(container, opened, workspace), *mounts),
        outputs=outputs,
        working_dir=container.working_dir,
        readiness=readiness,
        user=container.user,
        group=container.group,
        read_only_root=container.read_only_root,
        network=network,
        limits=limits or Limits(),
        stop_grace_seconds=stop_grace_seconds,
    )


# --- secrets ----------------------------------------------------------------------------------------------------------


def _opened(session: Session, vault: Vault, group: str, name: str) -> Values | None:
    try:
        return generic_secrets.opened(session, vault, group, name)
    except NotFound:
        return None


def _variables(secret: str, prefix: str, found: Values) -> Iterator[tuple[str, str]]:
    """As Kubernetes: a key that makes no name of a variable is passed over."""
    for key, value in found.items():
        if _VARIABLE.fullmatch(prefix + key):
            yield prefix + key, _as_text(value, secret, key)


def _value(wanted: SecretKey, found: Values | None) -> bytes | None:
    """None when it is not there and need not be."""
    if found is None or (wanted.key not in found and wanted.optional):
        return None
    if wanted.key not in found:
        raise NotFound(f"the secret {wanted.secret!r} has no key {wanted.key!r}: add it with PATCH /v2/admin/secrets")
    return found[wanted.key]


def _as_text(value: bytes, secret: str, key: str) -> str:
    """Raises InvalidRequest, which repeats nothing of the value."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequest(
            f"the value of {key!r} in the secret {secret!r} is no text, so it cannot be a variable: "
            "mount the secret as a volume"
        )
    if len(value) > LONGEST_TEXT_BYTES:
        raise InvalidRequest(
            f"the value of {key!r} in the secret {secret!r} is longer than a variable can be "
            f"({LONGEST_TEXT_BYTES} bytes): mount the secret as a volume"
        )
    return text


def _files(volume: Volume, found: Values) -> dict[str, bytes]:
    """Content by relative path. Raises NotFound, InvalidRequest."""
    if not volume.items:
        return {_safe(volume, key): value for key, value in found.items()}
    wanted = {}
    for key, path in volume.items:
        value = _value(SecretKey(volume.secret or "", key, volume.optional), found)
        if value is not None:
            wanted[_safe(volume, path)] = value
    return wanted


def _safe(volume: Volume, path: str) -> str:
    """A relative path that stays below its folder. Raises InvalidRequest."""
    parts = path.split("/")
    if any(part in (".", "..") or not _FILE.fullmatch(part) for part in parts):
        raise InvalidRequest(
            f"{path[:80]!r} of the volume {volume.name!r} is no name of a file: use letters, digits, '-', '_' and '.'"
        )
    return path


# --- volumes ----------------------------------------------------------------------------------------------------------


def _volumes(container: Container, opened: OpenedSecrets, workspace: Path) -> Iterator[Mount]:
    names = list(dict.fromkeys(volume.name for volume in container.volumes))
    root = workspace / _VOLUMES
    if names:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, volume in enumerate(container.volumes):
        if volume.secret is not None:
            source = _secret_folder(root / f"secret-{number}", opened.files.get(volume.path, {}))
            yield Mount(_part_of(volume, source), volume.path, read_only=True)
        else:
            source = _empty_folder(root / f"empty-{names.index(volume.name)}", volume)
            yield Mount(source, volume.path, read_only=volume.read_only)


def _secret_folder(folder: Path, files: Values) -> Path:
    _make(folder, _FOR_ITS_USER)
    for path, content in files.items():
        target = folder / path
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            _make(folder / parent, _FOR_ITS_USER)
        write_atomically(target, content, mode=_READ_BY_ALL)
    return folder


def _part_of(volume: Volume, folder: Path) -> Path:
    """The whole folder, or the one file that `sub_path` names."""
    if not volume.sub_path:
        return folder
    part = folder / _safe(volume, volume.sub_path)
    if not part.exists():
        raise NotFound(f"the secret {volume.secret!r} has no {volume.sub_path!r}, which {volume.path!r} is to show")
    return part


def _empty_folder(folder: Path, volume: Volume) -> Path:
    """Without following links: the container may have made some, if it ran before."""
    _make(folder, _FOR_ALL)
    parts = _safe(volume, volume.sub_path).split("/") if volume.sub_path else []
    here = os.open(folder, _ITSELF)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=here)
            below = os.open(part, _ITSELF, dir_fd=here)
            os.close(here)
            here = below
            os.fchmod(here, _FOR_ALL)
    finally:
        os.close(here)
    return folder.joinpath(*parts)


def _make(folder: Path, mode: int) -> None:
    """With exactly this mode, whatever our umask is."""
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)
