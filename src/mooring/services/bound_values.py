"""What a configuration gives to its executable: the values of its parameters, the artifacts for its inputs.

A bound value beats the default. What the executable does not declare is ignored, as everywhere in the AI API.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest
from mooring.store.tables import Artifact, Configuration, Executable
from mooring.templates.workflow_documents import optional_inputs


def parameters(executable: Executable, configuration: Configuration) -> dict[str, str]:
    """The value of each declared parameter. Raises InvalidRequest when one has none."""
    bound = {binding["key"]: binding["value"] for binding in configuration.parameter_bindings}
    declared = {each["name"]: each.get("default") for each in executable.parameters}
    values = {name: bound.get(name, default) for name, default in declared.items()}
    _refuse_missing("parameter", values, "parameterBindings")
    return {name: value for name, value in values.items() if value is not None}


def inputs(session: Session, executable: Executable, configuration: Configuration) -> dict[str, str]:
    """The url of the artifact for each declared input. Raises InvalidRequest when one that is needed has none."""
    bound = {binding["key"]: binding["artifactId"] for binding in configuration.input_artifact_bindings}
    urls = _urls(session, configuration.resource_group, bound.values())
    found = {each["name"]: urls.get(bound.get(each["name"], "")) for each in executable.input_artifacts}
    body = executable.template.get("body")
    optional = optional_inputs(body) - bound.keys() if body else frozenset()
    needed = {name: url for name, url in found.items() if name not in optional}
    _refuse_missing("input artifact", needed, "inputArtifactBindings")
    return {name: url for name, url in found.items() if url is not None}


def _urls(session: Session, group: str, ids: Iterable[str]) -> dict[str, str]:
    """Of the group only: a configuration cannot have named another's, and if it has, that one does not exist."""
    query = select(Artifact.id, Artifact.url).where(Artifact.resource_group == group, Artifact.id.in_(set(ids)))
    return {row.id: row.url for row in session.execute(query)}


def _refuse_missing(kind: str, values: Mapping[str, str | None], field_name: str) -> None:
    missing = [name for name, value in values.items() if value is None]
    if missing:
        names = ", ".join(repr(name) for name in missing[:10])
        raise InvalidRequest(
            f"configurationId names a configuration without a value for the {kind} {names}: "
            f"make one that binds it in {field_name}"
        )
