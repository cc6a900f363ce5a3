"""`mooring deploy-to-kyma`: fedml's function as a command."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """Serve a model of Databricks' MLflow on SAP Kyma, from a configuration file of fedml-databricks.

For now it checks, fetches the model and shows what would be built and applied; building, pushing and applying come
with Kubernetes support.

Example:

    mooring deploy-to-kyma kyma.json --dry-run
"""
_REFUSED = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deploy-to-kyma", help=_HELP)(deploy)


def deploy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be built and applied.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep the build's context and the manifests here.", show_default=False)
    ] = None,
) -> None:
    from mooring.compat import CompatError, deploy_to_kyma

    try:
        if dry_run:
            typer.echo(str(deploy_to_kyma(file, dry_run=True, folder=folder)))
        else:
            typer.echo(deploy_to_kyma(file, folder=folder))
    except CompatError as error:
        typer.secho(f"mooring: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(_REFUSED) from None
