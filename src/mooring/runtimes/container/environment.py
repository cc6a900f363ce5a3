"""A container's variables on their way to the engine: never in a command line, nor in its client's own environment."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mooring.runtimes.container.client import Client, EngineError

_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
_LONGEST_LINE = 32 << 10
"""The engines read their file line by line, 64 KiB at most."""
_FILE = "environment"


@dataclass(frozen=True)
class Variables:
    """Those that fit into a line of a file, and those that do not (by name)."""

    lines: Mapping[str, str]
    others: Mapping[str, str]


def sorted_out(env: Mapping[str, str]) -> Variables:
    """Raises ValueError for a name or a value that no process could have."""
    for name, value in env.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an environment variable: letters, digits, '_', '-' and '.'")
        if "\0" in value:
            raise ValueError(f"The environment variable {name} holds a NUL character, which no process can take")
    lines = {name: value for name, value in env.items() if _fits(value)}
    return Variables(lines, {name: value for name, value in env.items() if name not in lines})


def _fits(value: str) -> bool:
    # Some versions of podman read a value in quotes over several lines.
    return not set(value) & set("\r\n") and not value.startswith(('"', "'")) and len(value) < _LONGEST_LINE


@contextmanager
def handed_over(client: Client, run_id: str, env: Mapping[str, str], folder: Path) -> Iterator[list[str]]:
    """The options of `create` that give them. The file lies there only as long as that takes. Raises OSError."""
    variables = sorted_out(env)
    if variables.others and not client.flavour.secrets:
        raise ValueError(_refusal(client, min(variables.others)))
    options = [word for name in variables.others for word in ("--secret", _secret_option(run_id, name))]
    path = folder / _FILE
    path.unlink(missing_ok=True)
    try:
        for name, value in variables.others.items():
            _make_secret(client, secret_name(run_id, name), value)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write("".join(f"{name}={value}\n" for name, value in variables.lines.items()).encode())
        yield ["--env-file", str(path), *options]
    finally:
        path.unlink(missing_ok=True)


def secret_name(run_id: str, variable: str) -> str:
    """Of one run's variable, in letters that the engine takes."""
    return f"mooring-{run_id}.{variable.encode().hex()}"


def remove_secrets(client: Client, run_id: str, variables: list[str]) -> None:
    """Those that are still there. Raises EngineError."""
    for name in variables:
        _remove_secret(client, secret_name(run_id, name))


def remove_secrets_of(client: Client, run_ids: Collection[str]) -> None:
    """All that is left of these runs. Raises EngineError."""
    if not client.flavour.secrets or not run_ids:
        return
    for name in client.run(["secret", "ls", "--format", "{{.Name}}"]).split():
        if name.removeprefix("mooring-").partition(".")[0] in run_ids and name.startswith("mooring-"):
            _remove_secret(client, name)


def _secret_option(run_id: str, name: str) -> str:
    return f"{secret_name(run_id, name)},type=env,target={name}"


def _make_secret(client: Client, name: str, value: str) -> None:
    _remove_secret(client, name)
    client.run(["secret", "create", name, "-"], given=value.encode())


def _remove_secret(client: Client, name: str) -> None:
    try:
        client.run(["secret", "rm", name])
    except EngineError as error:
        if "no such secret" not in error.said.lower() and "no secret" not in error.said.lower():
            raise


def _refusal(client: Client, name: str) -> str:
    what = f"The value of the environment variable {name} has line breaks, begins with a quote or is very long"
    return f"{what}; {client.flavour.name} cannot take it: mount the secret as a volume instead"
