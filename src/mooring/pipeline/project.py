"""A file, read and checked: what is wanted, and where it stands."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from mooring.pipeline import json_tree, stages, variables
from mooring.pipeline.json_tree import Node
from mooring.pipeline.refused import Problem, Refused
from mooring.pipeline.schema import ConfigurationEntry, Wanted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LARGEST_BYTES = 1024 * 1024

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Project:
    """One stage of one file."""

    wanted: Wanted
    file: str
    stage: str | None
    document: Node

    def problem(self, place: Place, message: str) -> Problem:
        """What is wrong at this place of the file."""
        return Problem(message, self.document.line_of(place), _words(place))


def read(file: Path, stage: str | None, env: Mapping[str, str]) -> Project:
    """Raises Refused, with lines."""
    try:
        return _project(_text(file), str(file), stage, env)
    except Refused as refused:
        raise refused.within(str(file)) from refused


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise Refused(f"larger than {_LARGEST_BYTES} bytes")
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        told = error.strerror or error
        raise Refused(f"cannot be read: {told}. Give the file's name: `mooring deploy FILE`") from error
    except UnicodeDecodeError as error:
        raise Refused(f"is no UTF-8: byte {error.start}") from error


def _project(text: str, file: str, stage: str | None, env: Mapping[str, str]) -> Project:
    document = variables.fill(stages.choose(json_tree.parse(text), stage), env)
    try:
        wanted = Wanted.model_validate(document.plain())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise Refused([_problem(document, each) for each in found]) from None  # it holds values of the environment
    project = Project(wanted, file, stage, document)
    if twice := list(_doubles(project)):
        raise Refused(twice)
    return project


def _problem(document: Node, error: "ErrorDetails") -> Problem:
    place = tuple(error["loc"])
    message = error["msg"]
    if error["type"] == "extra_forbidden":
        message = f"is not known here{_suggestion(place)}"
    return Problem(message, document.line_of(place), _words(place))


def _suggestion(place: Place) -> str:
    """The known key that this one resembles."""
    known = [field.alias or name for name, field in _model_at(place[:-1]).model_fields.items()]
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f": is `{close[0]}` meant?" if close else f". Known: {', '.join(known)}"


def _model_at(place: Sequence[str | int]) -> type[BaseModel]:
    model: type[BaseModel] = Wanted
    for key in place:
        if isinstance(key, str):
            annotation: Any = model.model_fields[key].annotation
            model = next(iter(getattr(annotation, "__args__", ())), annotation)
    return model


def _doubles(project: Project) -> Iterator[Problem]:
    """Keys that stand twice where each may stand once."""
    wanted = project.wanted
    lists: dict[Place, list[str]] = {
        ("artifacts",): [each.key for each in wanted.artifacts],
        ("executions",): [each.name for each in wanted.executions],
        ("deployments",): [each.name for each in wanted.deployments],
    }
    destinations = [each.destination_name for each in wanted.deployments if each.destination_name]
    for name, count in Counter(destinations).items():
        if count > 1:
            yield project.problem(("deployments",), f"{count} have the destination {name}: it leads to one")
    for bindings, entry in configurations(wanted):
        lists[(*bindings, "parameter_bindings")] = [each.key for each in entry.parameter_bindings]
        lists[(*bindings, "input_artifact_bindings")] = [each.key for each in entry.input_artifact_bindings]
    for place, names in lists.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield project.problem(place, f"{name} stands here {count} times; give each a `key` of its own")


def configurations(wanted: Wanted) -> Iterator[tuple[Place, ConfigurationEntry]]:
    """All of a file, with where they stand."""
    for number, execution in enumerate(wanted.executions):
        yield ("executions", number, "configuration"), execution.configuration
    for number, deployment in enumerate(wanted.deployments):
        yield ("deployments", number, "configuration"), deployment.configuration


def _words(place: Place) -> str:
    return ".".join(str(each) for each in place)
