"""The command line. Each command imports what it needs when it runs, so that `--help` and completion are quick."""

import sys
from typing import Annotated

import typer

from mooring import __version__
from mooring.cli import (
    client_accounts,
    client_commands,
    compat_commands,
    destination_commands,
    init_command,
    pipeline_commands,
    serve,
    system_commands,
)

app = typer.Typer(
    name="mooring",
    help="From a registered model to an inference URL that never changes.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
system_commands.register(app)
serve.register(app)
client_commands.register(app)
pipeline_commands.register(app)
init_command.register(app)
compat_commands.register(app)
client_accounts.register(app)
destination_commands.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mooring {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Holds the options of the command itself."""


def main() -> None:
    """Entry point: a person's mistake ends in one line and exit code 1, never in a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        typer.secho("mooring: broken off", fg=typer.colors.RED, err=True)
        sys.exit(130)
    except Exception as error:
        from mooring.cli.failures import expected_failures, in_words  # which imports much: not at each end

        if not isinstance(error, expected_failures()):
            raise
        typer.secho(f"mooring: {in_words(error)}", fg=typer.colors.RED, err=True)
        sys.exit(1)
