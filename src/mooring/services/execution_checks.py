"""What a configuration needs to be run: checked when an execution is asked for, not when it would start."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest
from mooring.services import configurations, executables
from mooring.store.tables import Configuration, Executable


def configuration_to_run(session: Session, group: str, configuration_id: str) -> Configuration:
    """The configuration, when it can be run as it is. Raises InvalidRequest: the id comes in a body."""
    found = configurations.find(session, group, configuration_id)
    if found is None:
        raise InvalidRequest(
            f"configurationId {configuration_id!r} is no configuration of the resource group {group!r}: "
            "GET /v2/lm/configurations lists them"
        )
    executable = _executable_of(session, found)
    _refuse_unbound(
        "parameter",
        (each["name"] for each in executable.parameters if each.get("default") is None),
        "parameterBindings",
        found.parameter_bindings,
    )
    _refuse_unbound(
        "input artifact",
        (each["name"] for each in executable.input_artifacts),
        "inputArtifactBindings",
        found.input_artifact_bindings,
    )
    return found


def _executable_of(session: Session, configuration: Configuration) -> Executable:
    executable = executables.find(session, configuration.scenario_id, configuration.executable_id)
    if executable is None:
        raise InvalidRequest(
            f"the executable {configuration.executable_id!r} of the configuration {configuration.id!r} is gone: "
            "make a configuration of one that exists"
        )
    if executable.deployable:
        raise InvalidRequest(
            f"the executable {executable.id!r} of the configuration {configuration.id!r} cannot be executed: it is "
            "deployable. Deploy it with POST /v2/lm/deployments, or use one whose deployable is false"
        )
    return executable


def _refuse_unbound(kind: str, needed: Iterable[str], field_name: str, bindings: Sequence[Mapping[str, Any]]) -> None:
    bound = {binding["key"] for binding in bindings}
    missing = [name for name in needed if name not in bound]
    if missing:
        names = ", ".join(repr(name) for name in missing[:10])
        raise InvalidRequest(
            f"configurationId names a configuration without a value for the {kind} {names}: "
            f"make one that binds it in {field_name}"
        )
