"""`mooring destination …` and `mooring rollback`: static names, and where they point."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mooring.cli.options import HomeOption, home_from

if TYPE_CHECKING:
    from mooring.client.destinations import DestinationClient

_SECRET = ("secret", "password", "passphrase", "token", "key", "authorization")
_HIDDEN = "(hidden)"
_BESIDE = ("mooring.canary.", "mooring.mirror.")
_SET_HELP = """Make a destination, or change what is given; what is not given stays as it is.

A URL that is a deployment's is served at /destinations/NAME. Another URL ends the canary and the mirror; so does an
empty --canary or --mirror.

Examples:

    mooring destination set wine --url $AICORE_BASE_URL/inference/deployments/d1a2b3c4d5e6f701
    mooring destination set wine --canary $AICORE_BASE_URL/inference/deployments/d5 --percent 10
    mooring destination set wine --property sap-client=100
"""
_ROLLBACK_HELP = """Take back the last move of a destination: end its canary if it has one, else point to where it
pointed before. Doing it again points forward again.

Example:

    mooring rollback wine
"""

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The destination.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Where it points.", show_default=False)]
CanaryOption = Annotated[
    str | None, typer.Option("--canary", help="Another deployment's URL, which gets a share.", show_default=False)
]
PercentOption = Annotated[
    int | None, typer.Option("--percent", min=0, max=100, help="The canary's share.", show_default=False)
]
MirrorOption = Annotated[
    str | None,
    typer.Option("--mirror", help="Another deployment's URL, which gets copies of requests.", show_default=False),
]
PropertyOption = Annotated[
    list[str] | None, typer.Option("--property", metavar="KEY=VALUE", help="Any property; an empty value removes it.")
]


def register(app: typer.Typer) -> None:
    """Add the group of commands, and the one that must be quick to type."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Static names, and where they point.")
    group.command("ls", help="List the destinations.")(ls)
    group.command("show", help="Show a destination and its moves; secrets are hidden.")(show)
    group.command("set", help=_SET_HELP)(set_)
    group.command("check", help="Connect, get a token, call the target.")(check)
    group.command("delete", help="Delete a destination: its name leads nowhere from now on.")(delete)
    group.command("rollback", help=_ROLLBACK_HELP)(rollback)
    app.add_typer(group, name="destination")
    app.command("rollback", help=_ROLLBACK_HELP)(rollback)


def ls(home: HomeOption = None, as_json: JsonOption = False) -> None:
    from mooring.cli.tables import print_destinations

    with _client(home) as client:
        found = [_shown(each) for each in client.all()]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        print_destinations(found)


def show(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    with _client(home) as client:
        properties, moves = _shown(client.get(name)), client.history(name)
    if as_json:
        typer.echo(json.dumps({**properties, "moves": [m.model_dump(by_alias=True) for m in moves]}, indent=2))
        return
    for key, value in sorted(properties.items()):
        typer.echo(f"{key} = {value}")
    for move in moves:
        typer.echo(f"{move.since}  {move.url}  by {move.by}")


def set_(
    name: NameArgument,
    url: UrlOption = None,
    canary: CanaryOption = None,
    percent: PercentOption = None,
    mirror: MirrorOption = None,
    properties: PropertyOption = None,
    home: HomeOption = None,
) -> None:
    from mooring.client.errors import NotFound

    given = {
        "URL": url,
        "mooring.canary.URL": canary,
        "mooring.canary.percent": None if percent is None else str(percent),
        "mooring.mirror.URL": mirror,
        **dict(map(_pair, properties or [])),
    }
    with _client(home) as client:
        try:
            before = client.get(name)
        except NotFound:
            before = {"Name": name, "Type": "HTTP", "ProxyType": "Internet", "Authentication": "NoAuthentication"}
        client.set(_with(before, {key: value for key, value in given.items() if value is not None}))
    typer.echo(f"{name} is set")


def check(name: NameArgument, home: HomeOption = None) -> None:
    with _client(home) as client:
        found = client.check(name)
    for step in found.steps:
        typer.echo(f"{'ok    ' if step.ok else 'failed'}  {step.name}: {step.detail}")
    if not found.ok:
        raise typer.Exit(1)


def delete(
    name: NameArgument,
    home: HomeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    if not yes:
        typer.confirm(f"Delete the destination {name}?", abort=True)
    with _client(home) as client:
        client.delete(name)
    typer.echo(f"{name} is deleted")


def rollback(name: NameArgument, home: HomeOption = None) -> None:
    with _client(home) as client:
        done = client.roll_back(name)
    what = "its canary is ended, it points" if done.undone == "canary" else "it points back"
    typer.echo(f"{name}: {what} to {done.url}")


def _with(before: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The properties with those that are given; empty ones go. Another URL ends a canary and a mirror of before."""
    moves = given.get("URL", before.get("URL")) != before.get("URL")
    kept = {key: value for key, value in before.items() if not (moves and key.startswith(_BESIDE))}
    wanted = {key: value for key, value in {**kept, **given}.items() if value}
    for prefix in _BESIDE:
        if f"{prefix}URL" not in wanted and f"{prefix}URL" in given:
            wanted.pop(f"{prefix}percent", None)
    return wanted


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter("a property is given as KEY=VALUE", param_hint="--property")
    return key, value


def _shown(properties: dict[str, str]) -> dict[str, str]:
    return {
        key: _HIDDEN if any(mark in key.lower() for mark in _SECRET) and "url" not in key.lower() else value
        for key, value in properties.items()
    }


def _client(home: Path | None) -> "DestinationClient":
    """DESTINATION_* in the environment first (any Destination service), else the key of the home."""
    from mooring.client.destinations import DestinationClient
    from mooring.system.errors import CannotStart

    if home is None and os.environ.get("DESTINATION_CLIENT_ID"):
        return DestinationClient.from_env()
    key = home_from(home).destination_key
    if not key.exists():
        raise CannotStart(f"there is no key at {key}: start Mooring (`mooring up`), or set DESTINATION_*.")
    return DestinationClient.from_key(key)
