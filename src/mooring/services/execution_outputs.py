"""What an execution has made: its output artifacts, registered when it has completed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.services import artifacts
from mooring.services.artifacts import Kind, NewArtifact
from mooring.store.tables import Artifact, Executable, Execution, Job


def declared(executable: Executable) -> list[dict[str, Any]]:
    """What the template says of its outputs, as an execution keeps it.

    `name` is what the artifact is registered as, `suffix` what its url ends in.
    """
    more = {each["globalName"]: each for each in executable.template.get("outputs", [])}
    return [_declared(each, more.get(each["name"], {})) for each in executable.output_artifacts]


def _declared(shown: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "globalName": shown["name"],
        "name": more.get("name") or shown["name"],
        "suffix": more.get("suffix", ""),
        "kind": shown.get("kind", Kind.MODEL.value),
        "description": shown.get("description", ""),
        "labels": shown.get("labels", []),
    }


def register(session: Session, execution: Execution, urls: Mapping[str, str]) -> None:
    """Make an artifact of each output; `urls` by `globalName`."""
    facts = {each["globalName"]: each for each in execution.workflow.get("outputs", [])}
    for global_name, url in urls.items():
        fact = facts.get(global_name, {})
        new = NewArtifact(
            name=fact.get("name") or global_name,
            kind=fact.get("kind") or Kind.MODEL.value,
            url=url,
            scenario_id=execution.scenario_id,
            description=fact.get("description", ""),
            labels=fact.get("labels", []),
        )
        artifacts.keep(
            session,
            execution.resource_group,
            new,
            execution_id=execution.id,
            configuration_id=execution.configuration_id,
        )


def made_for_steps(session: Session, execution: Execution) -> list[str]:
    """The urls of what its jobs have stored and nobody has registered: nothing needs it without the execution."""
    registered = set(session.scalars(select(Artifact.url).where(Artifact.execution_id == execution.id)))
    results = session.scalars(select(Job.result).where(Job.execution_id == execution.id))
    return sorted(set(_stored(results.all())) - registered)


def _stored(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for result in results:
        yield from result.get("artifacts", {}).values()
