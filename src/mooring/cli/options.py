"""Options that several commands share, and the settings made from them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mooring.home import Home
    from mooring.settings import Settings

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="MOORING_HOME",
        help="The folder of this installation. Default: ~/.mooring",
        show_default=False,
        file_okay=False,
    ),
]


def settings_from(**given: object) -> "Settings":
    """The settings, with what was given on the command line before the environment's."""
    from mooring.settings import Settings

    settings = Settings.model_validate({**Settings().model_dump(), **{k: v for k, v in given.items() if v is not None}})
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def home_from(home: Path | None) -> "Home":
    """The folder that a command is about."""
    from mooring.home import Home

    return Home(settings_from(home=home).home)
