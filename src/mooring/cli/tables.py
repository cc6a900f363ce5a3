"""Tables for people."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from mooring.system.status import InstallationStatus

_GOOD = {"running", "ready"}


def print_status(found: "InstallationStatus") -> None:
    """What runs, and where."""
    console = Console()
    state = "[green]ready[/]" if found.ready else "[red]not ready[/] (start it with `mooring up`)"
    console.print(f"{found.address or 'never started'}  {state}  [dim]home {found.home}[/]", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("PROCESS", "PID", "STATE", "DETAIL"):
        table.add_column(column)
    for process in found.processes:
        colour = "green" if process.state in _GOOD else "yellow"
        table.add_row(process.name, str(process.pid or "-"), f"[{colour}]{process.state}[/]", process.detail)
    console.print(table)
