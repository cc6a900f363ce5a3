"""Artifacts: references to data and models. They never change and are never removed alone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from mooring.domain.identifiers import new_uuid
from mooring.errors import InvalidRequest, NotFound
from mooring.services import labels as label_rules
from mooring.services import resource_groups, scenarios
from mooring.services.paging import ListedRow, Page
from mooring.store.tables import Artifact, ArtifactLabel, Labels
from mooring.store.text_search import contains
from mooring.store.types import unparsed

_LISTED = (
    Artifact.id,
    Artifact.name,
    Artifact.kind,
    Artifact.url,
    Artifact.scenario_id,
    Artifact.description,
    unparsed(Artifact.labels),
    Artifact.execution_id,
    Artifact.configuration_id,
    Artifact.created_at,
    Artifact.modified_at,
)


class Kind(Enum):
    """What an artifact is."""

    MODEL = "model"
    DATASET = "dataset"
    RESULTSET = "resultset"
    OTHER = "other"


@dataclass(frozen=True)
class NewArtifact:
    """What a client gives."""

    name: str
    kind: str
    url: str
    scenario_id: str
    description: str = ""
    labels: Labels = field(default_factory=list)


@dataclass(frozen=True)
class Filter:
    """Which artifacts are listed; None asks for all."""

    scenario_id: str | None = None
    execution_id: str | None = None
    name: str | None = None
    kind: str | None = None
    selectors: Sequence[label_rules.Selector] = ()
    search: str | None = None
    case_insensitive: bool = False


def create(session: Session, group: str, new: NewArtifact) -> Artifact:
    """Keep a reference; what lies behind the url is not looked at. Raises InvalidRequest."""
    resource_groups.require(session, group)
    label_rules.refuse_repeated_keys(new.labels)
    if not scenarios.by_id(session, {new.scenario_id}):
        raise InvalidRequest(f"scenarioId {new.scenario_id!r} is no scenario: GET /v2/lm/scenarios lists them")
    return keep(session, group, new)


def keep(
    session: Session,
    group: str,
    new: NewArtifact,
    *,
    execution_id: str | None = None,
    configuration_id: str | None = None,
) -> Artifact:
    """As `create`, without checks: for what an execution has made, whatever has become of its scenario since."""
    created = Artifact(
        id=new_uuid(),
        resource_group=group,
        execution_id=execution_id,
        configuration_id=configuration_id,
        **vars(new),
    )
    session.add(created)
    session.flush()
    session.add_all(
        ArtifactLabel(artifact_id=created.id, key=label["key"], value=label["value"]) for label in new.labels
    )
    session.flush()
    return created


def get(session: Session, group: str, artifact_id: str) -> Artifact:
    """Raises NotFound."""
    found = session.get(Artifact, artifact_id)
    if found is None or found.resource_group != group:
        raise NotFound(f"there is no artifact {artifact_id!r} in the resource group {group!r}")
    return found


def existing(session: Session, group: str, ids: Collection[str]) -> set[str]:
    """Those of the given ids that are artifacts of the group."""
    if not ids:
        return set()
    query = select(Artifact.id).where(Artifact.resource_group == group, Artifact.id.in_(ids))
    return set(session.scalars(query))


def list_of(session: Session, group: str, wanted: Filter, page: Page) -> Sequence[ListedRow]:
    """The artifacts of a group that are asked for, newest first: plain rows with the columns' names."""
    resource_groups.require(session, group)
    query = select(*_LISTED).where(*_conditions(group, wanted))
    return session.execute(page.of(query, Artifact.created_at, Artifact.id)).all()


def count(session: Session, group: str, wanted: Filter) -> int:
    """How many `list_of` would find without a page."""
    resource_groups.require(session, group)
    query = select(func.count()).select_from(Artifact).where(*_conditions(group, wanted))
    return session.scalar(query) or 0


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield Artifact.resource_group == group
    exact = (
        (Artifact.scenario_id, wanted.scenario_id),
        (Artifact.execution_id, wanted.execution_id),
        (Artifact.name, wanted.name),
        (Artifact.kind, wanted.kind),
    )
    yield from (column == value for column, value in exact if value is not None)
    yield from (_labelled(selector) for selector in wanted.selectors)
    if wanted.search is not None:
        columns = (Artifact.name, Artifact.description)
        yield or_(*(contains(c, wanted.search, case_insensitive=wanted.case_insensitive) for c in columns))


def _labelled(selector: label_rules.Selector) -> ColumnElement[bool]:
    has_it = exists().where(
        ArtifactLabel.artifact_id == Artifact.id,
        ArtifactLabel.key == selector.key,
        ArtifactLabel.value == selector.value,
    )
    return has_it if selector.equal else ~has_it
