"""What is mounted into a container: files of secrets, and empty folders of its own."""

from collections.abc import Iterator, Mapping, Sequence

from mooring.domain.containers import Volume
from mooring.templates.container_values import absolute_path, flag, relative_path
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, mapping, required_text, text

Entries = Sequence[tuple[str, dict[str, Tree]]]
_SYSTEM = ("/proc", "/sys", "/dev")
_MOST_MOUNTS = 100
_MOST_ITEMS = 200
"""Each costs whoever starts the container a moment, and all others wait for it."""
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 -- where data loaders exchange data; a folder of the container's own


def volumes(container: Mapping[str, Tree], declared: Sequence[Tree], path: str) -> tuple[Volume, ...]:
    """The volumes that `volumeMounts` names, each where it is mounted. Raises TemplateError."""
    known = dict(_declared(declared))
    found: dict[str, Volume] = {}
    for where, mount in _at_most(_MOST_MOUNTS, entries(container, path, "volumeMounts"), f"{path}.volumeMounts"):
        volume = _mounted(mount, known, where)
        if volume.path in found:
            raise TemplateError(f"{where}.mountPath", f"is {volume.path!r}, where something is mounted already")
        found[volume.path] = volume
    return tuple(found.values())


def mount_path(value: str, path: str) -> str:
    """Where something may be put into a container: nowhere above the system's own folders. Raises TemplateError."""
    place = absolute_path(value, path)
    if place == "/" or (place != _SHARED_MEMORY and any(f"{place}/".startswith(f"{own}/") for own in _SYSTEM)):
        raise TemplateError(path, f"is {place!r}, which belongs to the system: choose another folder")
    return place


def _declared(volumes: Sequence[Tree]) -> Iterator[tuple[str, Mapping[str, Tree]]]:
    seen: set[str] = set()
    for where, volume in entries({"volumes": list(volumes)}, "", "volumes"):
        name = required_text(volume.get("name"), f"{where}.name")
        if name in seen:
            raise TemplateError(f"{where}.name", f"is the second {name!r}")
        seen.add(name)
        if "secret" in volume and "emptyDir" in volume:
            raise TemplateError(where, "has both secret and emptyDir: give one")
        yield name, volume


def _mounted(mount: Mapping[str, Tree], known: Mapping[str, Mapping[str, Tree]], path: str) -> Volume:
    name = required_text(mount.get("name"), f"{path}.name")
    if name not in known:
        raise TemplateError(f"{path}.name", f"is {name!r}, which volumes does not declare")
    volume = known[name]
    where = f"volumes[{name}].secret"
    secret = mapping(volume.get("secret"), where)
    sub_path = text(mount.get("subPath"), f"{path}.subPath")
    return Volume(
        path=mount_path(required_text(mount.get("mountPath"), f"{path}.mountPath"), f"{path}.mountPath"),
        name=name,
        secret=required_text(secret.get("secretName"), f"{where}.secretName") if "secret" in volume else None,
        items=tuple(_items(secret, where)),
        optional=flag(secret.get("optional"), f"{where}.optional"),
        read_only="secret" in volume or flag(mount.get("readOnly"), f"{path}.readOnly"),
        sub_path=relative_path(sub_path, f"{path}.subPath") if sub_path else "",
    )


def _items(secret: Mapping[str, Tree], path: str) -> Iterator[tuple[str, str]]:
    for where, item in _at_most(_MOST_ITEMS, entries(secret, path, "items"), f"{path}.items"):
        key = required_text(item.get("key"), f"{where}.key")
        yield key, relative_path(required_text(item.get("path"), f"{where}.path"), f"{where}.path")


def _at_most(most: int, found: Entries, path: str) -> Entries:
    if len(found) > most:
        raise TemplateError(path, f"has {len(found)} entries; {most} are allowed")
    return found
