"""The sandbox in which packages are built and installed: building one may run programs that its author chose."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mooring.runtimes.sandbox import filesystem
from mooring.runtimes.sandbox.variables import SYSTEM_PATH

_TEMPORARY = "/tmp"  # noqa: S108 (inside)
_TEMPORARY_BYTES = 1 << 30
_HIDING_BYTES = 1 << 16
_KEPT = re.compile(
    r"(UV_(?!PUBLISH_)|PIP_|SSL_CERT_|GIT_SSL_|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|NETRC$|LC_|LANG$)"
    r"|(?i:(https?|all|no)_proxy)$"
)
_BETWEEN = re.compile(r"[\s,;]+")
_NAME = re.compile(r"[\w.-]+=(?=/|file:)")
"""An index may have a name before its address."""


@dataclass(frozen=True)
class Building:
    """`isolation` is what bubblewrap offers here. Beside the system's programs `read` is seen, and `write`, which can
    be changed; nothing else of `hidden`. The network is this machine's: packages come from an index."""

    isolation: Sequence[str]
    read: Sequence[Path]
    write: Sequence[Path]
    hidden: Sequence[Path]

    def command(self, program: Sequence[str], variables: Mapping[str, str], folder: Path) -> list[str]:
        """What has to be run for the program to run in it. What `variables` name is seen, too."""
        covers = list(self._covers())
        return [
            *("bwrap", *self.isolation, "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
            *(*filesystem.system(), *filesystem.of_etc(shares_network=True)),
            *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
            *("--size", str(_TEMPORARY_BYTES), "--perms", "1777", "--tmpfs", _TEMPORARY),
            *_bound("--ro-bind", self.read),
            *[word for path in covers for word in ("--size", str(_HIDING_BYTES), "--tmpfs", path)],
            *_bound("--ro-bind", sorted({Path(program[0]), *_named_in(variables)})),
            *_bound("--bind", self.write),
            *[word for path in (*covers, "/") for word in ("--remount-ro", path)],
            *("--chdir", str(folder), "--", *program),
        ]

    def _covers(self) -> Iterator[str]:
        for secret in sorted({path.resolve() for path in self.hidden}):
            for path in self.read:
                source = path.resolve()
                if secret.is_dir() and secret != source and secret.is_relative_to(source):
                    yield str(path / secret.relative_to(source))


def kept_variables() -> dict[str, str]:
    """The operator's own: indexes, proxies, certificates. Nothing else of ours is inherited."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.match(name)}
    return {**kept, "PATH": SYSTEM_PATH, "HOME": _TEMPORARY, "TMPDIR": _TEMPORARY, "UV_LINK_MODE": "copy"}


def _bound(how: str, paths: Sequence[Path]) -> list[str]:
    return [word for path in paths for word in (how, str(path), str(path))]


def _named_in(variables: Mapping[str, str]) -> Iterator[Path]:
    """Files and folders that the operator's variables lead to: certificates, folders of packages."""
    for name, value in variables.items():
        for word in (value, *_BETWEEN.split(value)) if _KEPT.match(name) else ():
            path = Path(_NAME.sub("", word, count=1).removeprefix("file://"))
            if path.is_absolute() and path != Path("/") and path.exists() and not path.is_relative_to("/usr"):
                yield path
