"""`mooring init`: a project that is ready to push."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """Write a project that is ready to push: templates, code, a Dockerfile, config.json for three stages, and
workflow files for GitHub Actions and GitLab CI. Files that are there already are kept as they are.

Example:

    mooring init churn --scenario customer-churn
"""
_REFUSED = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help=_HELP)(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the project.")] = Path(),
    name: Annotated[str | None, typer.Option(help="The project's name; that of the folder when not given.")] = None,
    scenario: Annotated[str | None, typer.Option(help="The scenario's id; the name when not given.")] = None,
) -> None:
    from mooring.pipeline.refused import Refused
    from mooring.pipeline.skeleton.names import project_name, scenario_id
    from mooring.pipeline.skeleton.writing import write_project

    try:
        chosen = project_name(name, folder)
        written = write_project(folder, chosen, scenario_id(scenario, chosen))
    except Refused as refused:
        typer.secho(f"mooring: {refused}", fg=typer.colors.RED, err=True)
        raise typer.Exit(_REFUSED) from None
    for path in written.new:
        typer.echo(f"new   {path}")
    for path in written.kept:
        typer.echo(f"kept  {path} (it was there already)")
    typer.echo(f"\n{_next_steps(folder)}")


def _next_steps(folder: Path) -> str:
    return (
        f"Try it:   {folder / 'README.md'} says how, without building an image\n"
        "Fill in:  the repository's address, the data, the image registry and the environments dev, tst and prd: "
        "SETUP.md says where"
    )
