"""Stand-ins from the settings."""

from dataclasses import replace
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from mooring.domain.stand_ins import StandIn, StandIns
from mooring.settings import Settings
from mooring.system.errors import CannotStart


def stand_ins(settings: Settings) -> StandIns:
    """Those of the file, then those given directly, which win. Raises CannotStart."""
    file = settings.stand_ins_file
    found = _absolute(_read(file), file.expanduser().absolute().parent) if file else {}
    return StandIns({**found, **_absolute(settings.stand_ins, Path.cwd())})


def _read(file: Path) -> dict[str, StandIn]:
    try:
        content = yaml.safe_load(file.expanduser().read_bytes()) or {}
        return TypeAdapter(dict[str, StandIn]).validate_python(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotStart(f"the stand-ins in {file} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CannotStart(f"the stand-ins in {file} make no sense at {where or 'the top'}: {first['msg']}") from error


def _absolute(given: dict[str, StandIn], base: Path) -> dict[str, StandIn]:
    return {image: replace(each, folder=base / each.folder.expanduser()) for image, each in given.items()}
