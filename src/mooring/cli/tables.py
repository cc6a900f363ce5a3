"""Tables for people."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mooring.domain.roles import ALL_GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mooring.client.deployments import Deployment
    from mooring.client.executions import Execution
    from mooring.store.tables import Client
    from mooring.system.status import InstallationStatus

_WIDE = 400
_GOOD = {"running", "ready"}


def print_status(found: "InstallationStatus") -> None:
    """What runs, and where."""
    console = _console()
    state = "[green]ready[/]" if found.ready else "[red]not ready[/] (start it with `mooring up`)"
    where = f"home {found.home}, store {found.store or 'none yet'}"
    console.print(f"{found.address or 'never started'}  {state}  [dim]{where}[/]", highlight=False)
    if found.shared_with:
        console.print(f"[dim]The replicas are shared with {', '.join(found.shared_with)}[/]", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("PROCESS", "PID", "STATE", "DETAIL"):
        table.add_column(column)
    for process in found.processes:
        colour = "green" if process.state in _GOOD else "yellow"
        table.add_row(process.name, str(process.pid or "-"), f"[{colour}]{process.state}[/]", process.detail)
    console.print(table)


def print_deployments(deployments: "list[Deployment]", models: "Mapping[str, str | None]") -> None:
    """One line each, newest first; `models` holds the static URL of those that have one, by deployment id."""
    table = Table(box=None, pad_edge=False)
    for column in ("ID", "STATUS", "CONFIGURATION", "URL"):
        table.add_column(column, overflow="fold", no_wrap=column == "URL")
    for deployment in deployments:
        url = models.get(deployment.id) or deployment.deployment_url or ""
        cells = (deployment.id, _status(deployment), deployment.configuration_name or "", url)
        table.add_row(*(escape(cell) for cell in cells))
    _console().print(table)


def print_executions(executions: "Sequence[Execution]") -> None:
    """One line each, newest first."""
    table = Table(box=None, pad_edge=False)
    for column in ("ID", "STATUS", "CONFIGURATION", "EXECUTABLE", "CREATED"):
        table.add_column(column, overflow="fold")
    for each in executions:
        created = f"{each.created_at:%Y-%m-%d %H:%M}" if each.created_at else ""
        cells = (each.id, _status(each), each.configuration_name or "", each.executable_id or "", created)
        table.add_row(*(escape(cell) for cell in cells))
    _console().print(table)


def _status(found: "Deployment | Execution") -> str:
    return f"{found.status}: {found.status_message}" if found.status_message else found.status


def print_clients(clients: "Sequence[tuple[Client, str]]") -> None:
    """One line each, with what is special about it."""
    table = Table(box=None, pad_edge=False)
    for column in ("ID", "ROLE", "RESOURCE GROUPS", "SINCE", "NOTE"):
        table.add_column(column, overflow="fold")
    for client, note in clients:
        groups = "all" if ALL_GROUPS in client.groups else ", ".join(client.groups) or "none"
        cells = (client.id, client.role, groups, f"{client.created_at:%Y-%m-%d %H:%M}", note)
        table.add_row(*(escape(cell) for cell in cells))
    _console().print(table)


def print_destinations(destinations: "Sequence[Mapping[str, str]]") -> None:
    """One line each, with what part of the requests goes where."""
    table = Table(box=None, pad_edge=False)
    for column in ("NAME", "URL", "CANARY", "MIRROR"):
        table.add_column(column, overflow="fold")
    for each in destinations:
        canary = each.get("mooring.canary.URL", "")
        share = f"{each.get('mooring.canary.percent', '')} % {canary}" if canary else ""
        cells = (each["Name"], each.get("URL", ""), share, each.get("mooring.mirror.URL", ""))
        table.add_row(*(escape(cell) for cell in cells))
    _console().print(table)


def _console() -> Console:
    """As wide as the terminal; where there is none, nothing is folded."""
    return Console() if Console().is_terminal else Console(width=_WIDE)
