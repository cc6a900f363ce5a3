"""`mooring up`, `status`, `down` and `env`."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from mooring.cli.options import HomeOption, settings_from

_UP_HELP = """Start Mooring: the gateway, the control plane, and (when asked) MLflow.

What still runs from before is adopted, so traffic never stops. Ctrl-C ends everything; SIGTERM ends the control plane
only, and the next `mooring up` takes over.

Examples:

    mooring up --with-mlflow
    mooring up --mlflow-uri http://127.0.0.1:5000 --port 9000 --detach
"""
_STATUS_HELP = """Show what runs, with process ids and addresses.

Exit code: 0 when it is ready, 3 when it is not.
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("up", help=_UP_HELP)(up)
    app.command("status", help=_STATUS_HELP)(status)
    app.command("down", help="End everything that runs in a home; running requests finish first.")(down)
    app.command("env", help='Print shell exports for clients of the AI API: eval "$(mooring env)"')(env)


def up(
    home: HomeOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one. [default: 8080]")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return as soon as everything is ready.")] = False,
    mlflow_uri: Annotated[str | None, typer.Option(help="MLflow server whose registry is watched.")] = None,
    with_mlflow: Annotated[bool, typer.Option("--with-mlflow", help="Also run an MLflow server in the home.")] = False,
    stand_in: Annotated[
        list[str] | None,
        typer.Option(
            "--stand-in",
            metavar="IMAGE=FOLDER",
            help="Run this folder (with its requirements.txt) in a sandbox instead of the image. May be repeated.",
        ),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            help="Where the state lies: postgresql://USER@HOST/NAME, for several control planes. Others can see what "
            "is in a command line: give a password in MOORING_DATABASE_URL instead. [default: SQLite in the home]"
        ),
    ] = None,
) -> None:
    from mooring.cli import up as running

    if with_mlflow and mlflow_uri:
        raise typer.BadParameter("give one of --with-mlflow and --mlflow-uri: only one registry is watched")
    settings = settings_from(
        home=home,
        host=host,
        port=port,
        mlflow_uri=mlflow_uri,
        with_mlflow=True if with_mlflow else None,
        database_url=database_url,
        stand_ins=_stand_ins(stand_in or []),
    )
    if detach:
        running.up_detached(settings)
    else:
        running.up_in_foreground(settings)


def _stand_ins(given: list[str]) -> "dict[str, object] | None":
    """Together with those of the environment; None when there are none on the command line."""
    from mooring.settings import Settings

    found: dict[str, object] = dict(Settings().stand_ins)
    for each in given:
        image, _, folder = each.partition("=")
        path = Path(folder).expanduser().absolute()
        if not image or not folder or not path.is_dir():
            raise typer.BadParameter(f"{each!r} does not name an image and a folder that is there: IMAGE=FOLDER")
        found[image] = {"folder": str(path)}
    return found if given else None


def status(
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    from mooring.cli.tables import print_status
    from mooring.system.status import installation_status

    found = installation_status(settings_from(home=home))
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
    else:
        print_status(found)
    if not found.ready:
        raise typer.Exit(3)


def down(home: HomeOption = None) -> None:
    from mooring.cli.progress import progress
    from mooring.system.shutdown import shut_down

    settings = settings_from(home=home)
    with progress("mooring down") as report:
        left = shut_down(settings, report)
    if left:
        typer.secho(f"still running in spite of the deadline: {', '.join(left)}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)


def env(home: HomeOption = None) -> None:
    from mooring.home import Home
    from mooring.system.service_key import environment_of

    for name, value in environment_of(Home(_home_path(home))).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _home_path(home: Path | None) -> Path:
    return settings_from(home=home).home
