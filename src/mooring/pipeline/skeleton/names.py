"""What a new project may be called."""

import re
from pathlib import Path

from mooring.pipeline.refused import Refused

# The name becomes a part of executables' ids, of an image and of a path: the strictest of these decides.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{2,38})[a-z0-9]")
_SCENARIO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{3,63}")


def project_name(given: str | None, folder: Path) -> str:
    """The name that is given, else one made of the folder's. Raises Refused."""
    name = given or re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-")
    if not _NAME.fullmatch(name) or "--" in name:
        raise Refused(
            f"{name!r} cannot be the project's name: it takes 4 to 40 lower-case letters, digits and single hyphens, "
            "a hyphen neither first nor last. Give one with --name"
        )
    return name


def scenario_id(given: str | None, name: str) -> str:
    """The scenario that is given, else one of the project's name. Raises Refused."""
    scenario = given or name
    if not _SCENARIO.fullmatch(scenario):
        raise Refused(
            f"{scenario!r} cannot be the scenario's id: it takes 4 to 64 letters, digits and _.-, the first of them a "
            "letter or digit. Give one with --scenario"
        )
    return scenario
