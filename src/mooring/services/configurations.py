"""Configurations: values for an executable's parameters and inputs. They never change and are never removed alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mooring.domain.identifiers import new_uuid
from mooring.errors import InvalidRequest, NotFound
from mooring.services import artifacts, executables, resource_groups
from mooring.services.paging import ListedRow, Page
from mooring.store.tables import Bindings, Configuration
from mooring.store.text_search import contains
from mooring.store.types import unparsed

_LISTED = (
    Configuration.id,
    Configuration.name,
    Configuration.scenario_id,
    Configuration.executable_id,
    unparsed(Configuration.parameter_bindings),
    unparsed(Configuration.input_artifact_bindings),
    Configuration.created_at,
)


@dataclass(frozen=True)
class NewConfiguration:
    """What a client gives."""

    name: str
    scenario_id: str
    executable_id: str
    parameter_bindings: Bindings = field(default_factory=list)
    input_artifact_bindings: Bindings = field(default_factory=list)


@dataclass(frozen=True)
class Filter:
    """Which configurations are listed; None asks for all."""

    scenario_id: str | None = None
    executable_ids: Sequence[str] | None = None
    search: str | None = None
    case_insensitive: bool = False


def create(session: Session, group: str, new: NewConfiguration) -> Configuration:
    """Check what it refers to and keep it. Raises InvalidRequest, naming the field."""
    resource_groups.require(session, group)
    if executables.find(session, new.scenario_id, new.executable_id) is None:
        raise InvalidRequest(
            f"executableId {new.executable_id!r} is no executable of the scenario {new.scenario_id!r}: "
            "GET /v2/lm/scenarios and …/executables list what there is"
        )
    _refuse_repeated_keys("parameterBindings", new.parameter_bindings)
    _refuse_repeated_keys("inputArtifactBindings", new.input_artifact_bindings)
    _refuse_unknown_artifacts(session, group, new.input_artifact_bindings)
    created = Configuration(id=new_uuid(), resource_group=group, **vars(new))
    session.add(created)
    session.flush()
    return created


def get(session: Session, group: str, configuration_id: str) -> Configuration:
    """Raises NotFound."""
    found = find(session, group, configuration_id)
    if found is None:
        raise NotFound(f"there is no configuration {configuration_id!r} in the resource group {group!r}")
    return found


def find(session: Session, group: str, configuration_id: str) -> Configuration | None:
    """The configuration of this group, or None."""
    found = session.get(Configuration, configuration_id)
    return found if found is not None and found.resource_group == group else None


def list_of(session: Session, group: str, wanted: Filter, page: Page) -> Sequence[ListedRow]:
    """The configurations of a group that are asked for, newest first: plain rows with the columns' names."""
    resource_groups.require(session, group)
    query = select(*_LISTED).where(*_conditions(group, wanted))
    return session.execute(page.of(query, Configuration.created_at, Configuration.id)).all()


def count(session: Session, group: str, wanted: Filter) -> int:
    """How many `list_of` would find without a page."""
    resource_groups.require(session, group)
    query = select(func.count()).select_from(Configuration).where(*_conditions(group, wanted))
    return session.scalar(query) or 0


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield Configuration.resource_group == group
    if wanted.scenario_id is not None:
        yield Configuration.scenario_id == wanted.scenario_id
    if wanted.executable_ids is not None:
        yield Configuration.executable_id.in_(wanted.executable_ids)
    if wanted.search is not None:
        yield contains(Configuration.name, wanted.search, case_insensitive=wanted.case_insensitive)


def _refuse_repeated_keys(field_name: str, bindings: Bindings) -> None:
    seen: set[str] = set()
    for binding in bindings:
        if binding["key"] in seen:
            raise InvalidRequest(f"{field_name} binds {binding['key']!r} more than once: give each key one value")
        seen.add(binding["key"])


def _refuse_unknown_artifacts(session: Session, group: str, bindings: Bindings) -> None:
    wanted = {binding["artifactId"] for binding in bindings}
    unknown = wanted - artifacts.existing(session, group, wanted)
    if unknown:
        raise InvalidRequest(
            f"inputArtifactBindings names {min(unknown)!r}, which is no artifact of the resource group {group!r}: "
            "GET /v2/lm/artifacts lists them"
        )
