"""What the sync of an application does to the executables: they are made, brought up to date, kept, or removed.

Only evidence removes an executable: its file is gone, or holds other templates now. A file that cannot be read any more
leaves what it last gave as it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from mooring.services import deployment_changes
from mooring.store.tables import Executable, Scenario
from mooring.store.types import utc_now
from mooring.templates.executable_template import SERVING, ExecutableTemplate
from mooring.templates.found_template import FoundTemplate
from mooring.templates.trees import to_json

SYNCED = "Synced"
FAILED = "SyncFailed"
_GROUPS = {SERVING: "servingtemplate.ai.sap.com"}
_WORKFLOW_GROUP = "workflowtemplate.argoproj.io"
_WHAT_RUNS = frozenset({"template", "parameters", "input_artifacts"})
"""The facts of an executable that decide what its deployments run."""
_MOST_PROBLEMS = 10


@dataclass(frozen=True)
class ResourceStatus:
    """What became of one template."""

    name: str
    kind: str
    status: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "kind": self.kind, "status": self.status, "message": self.message}


def sync(session: Session, application: str, found: Sequence[FoundTemplate]) -> list[ResourceStatus]:
    """Bring the executables of an application in line with what its folder holds now."""
    before = _executables_of(session, application)
    done: dict[str, ResourceStatus] = {}
    statuses = []
    for item in found:
        status = _take_over(session, application, item, done)
        statuses.append(status)
        if item.template is not None and status.status == SYNCED:
            done[item.name] = status
    kept = _kept(before, found, done)
    for executable in before.values():
        if executable.id not in done and executable.id not in kept:
            session.delete(executable)
            statuses.append(_status(executable.id, _kind(executable), "pruned"))
    session.flush()
    _remove_empty_scenarios(session)
    return statuses


def remove_all(session: Session, application: str) -> None:
    """The application is deleted, and its executables with it. What runs goes on."""
    session.execute(delete(Executable).where(Executable.application == application))
    _remove_empty_scenarios(session)


def _executables_of(session: Session, application: str) -> Mapping[str, Executable]:
    rows = session.scalars(select(Executable).where(Executable.application == application))
    return {row.id: row for row in rows}


def _take_over(session: Session, application: str, item: FoundTemplate, done: Collection[str]) -> ResourceStatus:
    if item.template is None:
        return ResourceStatus(item.name or item.file, item.kind, FAILED, f"{item.file}: {item.problem}")
    if item.name in done:
        problem = f"{item.file}: another file of the application defines {item.name!r} already: give it another name"
        return ResourceStatus(item.name, item.kind, FAILED, problem)
    row = session.get(Executable, item.name)
    if row is not None and row.application != application:
        owner = f"the application {row.application!r}" if row.application else "Mooring itself"
        problem = f"{item.file}: {item.name!r} belongs to {owner}: give it another name"
        return ResourceStatus(item.name, item.kind, FAILED, problem)
    warnings = [*_keep_scenario(session, item.template, application), *item.template.warnings]
    facts = _facts(item.template, application, item.file)
    if row is None:
        session.add(Executable(id=item.name, **facts))
        session.flush()
        return _status(item.name, item.kind, "created", warnings)
    changed = {name: value for name, value in facts.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed.keys() - {"file"}:
        row.modified_at = utc_now()
    notes = [*_cascade(session, row, changed), *warnings]
    return _status(item.name, item.kind, "configured" if changed else "unchanged", notes)


def _cascade(session: Session, row: Executable, changed: Collection[str]) -> list[str]:
    """If its template says so, what changes in it changes the deployments that run. What became of them, in words."""
    if not row.deployable or not row.template.get("cascades") or not _WHAT_RUNS.intersection(changed):
        return []
    session.flush()
    done = deployment_changes.cascade(session, row.id)
    updated = [f"{done.updated} deployments updated"] if done.updated else []
    return [*updated, *done.problems[:_MOST_PROBLEMS]]


def _facts(template: ExecutableTemplate, application: str, file: str) -> dict[str, Any]:
    about = template.metadata
    return {
        "scenario_id": about.scenario_id,
        "name": about.name,
        "version_id": about.version_id,
        "deployable": template.deployable,
        "description": about.description,
        "labels": [{"key": key, "value": value} for key, value in about.labels],
        "parameters": [parameter.to_json() for parameter in template.parameters],
        "input_artifacts": [item.to_json() for item in template.inputs],
        "output_artifacts": [item.to_json() for item in template.outputs],
        "application": application,
        "file": file,
        "template": {
            "body": to_json(dict(template.body)),
            "cascades": about.cascades,
            "outputs": [item.registration() for item in template.outputs],
        },
    }


def _keep_scenario(session: Session, template: ExecutableTemplate, application: str) -> list[str]:
    """One application says what a scenario is called. Another's differing words are told to it, in words."""
    about = template.metadata
    row = session.get(Scenario, about.scenario_id)
    if row is None:
        session.add(
            Scenario(id=about.scenario_id, name=about.scenario_name, description=about.scenario_description, labels=[])
        )
        session.flush()
        return []
    given = (about.scenario_name, about.scenario_description)
    if given == (row.name, row.description) or _is_built_in(session, row.id):
        return []
    owner = _named_by(session, row.id)
    if owner in (None, application):
        row.name, row.description = given
        row.modified_at = utc_now()
        return []
    if given == (row.id, ""):
        return []  # it says nothing about that
    return [
        f"the scenario {row.id!r} keeps the name and the description that the application {owner!r} gives it: let the "
        "templates say the same, or use another scenario"
    ]


def _is_built_in(session: Session, scenario_id: str) -> bool:
    query = select(exists().where(Executable.scenario_id == scenario_id, Executable.application.is_(None)))
    return bool(session.scalar(query))


def _named_by(session: Session, scenario_id: str) -> str | None:
    """The application with the oldest executable in it; None while there is none."""
    query = select(Executable.application).where(Executable.scenario_id == scenario_id)
    return session.scalar(query.order_by(Executable.created_at, Executable.id).limit(1))


def _kept(before: Mapping[str, Executable], found: Sequence[FoundTemplate], done: Collection[str]) -> set[str]:
    """Those that only a broken file or document speaks of."""
    broken = [item for item in found if item.template is None]
    unreadable = {item.file for item in broken if not item.name}
    named = {item.name for item in broken}
    return {id_ for id_, row in before.items() if id_ not in done and (id_ in named or row.file in unreadable)}


def _remove_empty_scenarios(session: Session) -> None:
    used = select(Executable.scenario_id)
    session.execute(delete(Scenario).where(Scenario.id.not_in(used)))


def _kind(executable: Executable) -> str:
    return SERVING if executable.deployable else "WorkflowTemplate"


def _status(name: str, kind: str, what: str, warnings: Sequence[str] = ()) -> ResourceStatus:
    message = f"{_GROUPS.get(kind, _WORKFLOW_GROUP)}/{name} {what}"
    if warnings:
        message = f"{message}; {'; '.join(warnings)}"
    return ResourceStatus(name, kind, SYNCED, message)
