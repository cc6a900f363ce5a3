"""`mooring client …`: who may get tokens, and for what."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mooring.cli.options import HomeOption, settings_from
from mooring.domain.roles import ALL_GROUPS, Role

if TYPE_CHECKING:
    from mooring.services.clients import NewClient
    from mooring.system.client_accounts import ClientAccounts

_STDOUT = Path("-")

_CREATE_HELP = """Make a client of the API. Its secret is printed once and cannot be read again.

A *viewer* reads and asks models for predictions; an *editor* also changes what lies in resource groups; an *admin* also
does what belongs to the whole tenant. With --group, all of this in these resource groups only.

Examples:

    mooring client create ci --role editor --group team-a --service-key ci-key.json
    mooring client create dashboard --role viewer
"""
_ROTATE_HELP = """Give a client a new secret. The old one and the tokens that it got are refused from now on.

With --grace-minutes, both secrets are accepted meanwhile and tokens stay valid until they run out.

Examples:

    mooring client rotate ci --service-key ci-key.json
    mooring client rotate ci --grace-minutes 60
"""
_UPDATE_HELP = """Change what a client may do. A running Mooring notices within two seconds.

Less counts at once, also for tokens that are out. More counts from the next token on.

Examples:

    mooring client update ci --role viewer
    mooring client update ci --group team-a --group team-b
"""
_DELETE_HELP = """Delete a client. Its secret and its tokens are refused from now on.

Example:

    mooring client delete ci --yes
"""
_LIST_HELP = """List the clients, with their role and their resource groups.

Example:

    mooring client list --json
"""


def _known(context: typer.Context, incomplete: str) -> list[str]:
    """For completion: the ids that begin like this, none where they cannot be read."""
    from mooring.cli.failures import expected_failures

    with suppress(*expected_failures()):
        return [each.id for each in _accounts(context.params.get("home")).list() if each.id.startswith(incomplete)]
    return []


NewNameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The client's id.", show_default=False)]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The client's id.", show_default=False, autocompletion=_known)
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--service-key",
        metavar="FILE",
        help="Write the secret as a service key to FILE (0600) instead; - prints the key.",
        show_default=False,
    ),
]
KeepOption = Annotated[bool, typer.Option("--keep-tokens", help="Tokens that are out stay valid until they run out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Who may get tokens, and for what.")
    group.command("create", help=_CREATE_HELP)(create)
    group.command("list", help=_LIST_HELP)(list_all)
    group.command("rotate", help=_ROTATE_HELP)(rotate)
    group.command("update", help=_UPDATE_HELP)(update)
    group.command("delete", help=_DELETE_HELP)(delete)
    app.add_typer(group, name="client")


def create(
    name: NewNameArgument,
    role: Annotated[Role, typer.Option(help="What the client may do.")] = Role.EDITOR,
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", "-g", help="A resource group that it may use; repeat for more. Default: all."),
    ] = None,
    key_file: KeyOption = None,
    home: HomeOption = None,
) -> None:
    accounts = _accounts(home)
    _show(accounts, accounts.create(name, role, groups or [ALL_GROUPS], _file(key_file)), key_file)


def list_all(home: HomeOption = None, as_json: JsonOption = False) -> None:
    from mooring.cli.tables import print_clients

    accounts = _accounts(home)
    found = accounts.list()
    if as_json:
        listed = [
            {"id": c.id, "role": c.role, "groups": c.groups, "createdAt": c.created_at.isoformat()} for c in found
        ]
        typer.echo(json.dumps(listed, indent=2))
    else:
        print_clients([(client, accounts.note_on(client)) for client in found])


def rotate(
    name: NameArgument,
    grace_minutes: Annotated[int, typer.Option(min=0, max=525_600, help="Accept the old secret for so long.")] = 0,
    keep_tokens: KeepOption = False,
    key_file: KeyOption = None,
    home: HomeOption = None,
) -> None:
    accounts = _accounts(home)
    grace = timedelta(minutes=grace_minutes)
    _show(accounts, accounts.rotate(name, grace, keep_tokens=keep_tokens, key_file=_file(key_file)), key_file)


def update(
    name: NameArgument,
    role: Annotated[Role | None, typer.Option(help="What the client may do.")] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--group", "-g", help="A resource group that it may use, instead of those so far; repeat for more."
        ),
    ] = None,
    all_groups: Annotated[bool, typer.Option("--all-groups", help="It may use all resource groups.")] = False,
    keep_tokens: KeepOption = False,
    home: HomeOption = None,
) -> None:
    if all_groups and groups:
        raise typer.BadParameter("give one of --group and --all-groups")
    wanted = [ALL_GROUPS] if all_groups else groups or None
    if role is None and wanted is None:
        raise typer.BadParameter("nothing to change: give --role, --group or --all-groups")
    _accounts(home).update(name, role, wanted, keep_tokens=keep_tokens)
    typer.echo(f"{name} is changed", err=True)


def delete(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    accounts = _accounts(home)
    accounts.refuse_needed(name)
    if not yes:
        typer.confirm(f"Delete the client {name}? Whoever uses it gets no answer any more.", abort=True, err=True)
    accounts.delete(name)
    typer.echo(f"{name} is deleted", err=True)


def _accounts(home: Path | None) -> "ClientAccounts":
    from mooring.system.client_accounts import ClientAccounts

    return ClientAccounts(settings_from(home=home))


def _file(key_file: Path | None) -> Path | None:
    return None if key_file == _STDOUT else key_file


def _show(accounts: "ClientAccounts", client: "NewClient", key_file: Path | None) -> None:
    if key_file == _STDOUT:
        typer.echo(accounts.key_of(client), nl=False)
    elif key_file:
        typer.echo(f"the key of {client.id} is in {key_file}", err=True)
    else:
        typer.echo(f"clientid: {client.id}\nclientsecret: {client.secret}")
        typer.echo("The secret cannot be shown again: keep it now.", err=True)
