"""What a configuration needs to be run: checked when an execution is asked for, not when it would start."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest
from mooring.services import bound_values, configurations, executables, execution_outputs
from mooring.store.tables import Configuration, Executable
from mooring.templates.workflow_documents import workflow_document


@dataclass(frozen=True)
class Runnable:
    """A configuration, and what it runs as things are now (`Execution.workflow`)."""

    configuration: Configuration
    workflow: dict[str, Any]


def configuration_to_run(session: Session, group: str, configuration_id: str) -> Runnable:
    """The configuration, when it can be run as it is. Raises InvalidRequest: the id comes in a body."""
    found = configurations.find(session, group, configuration_id)
    if found is None:
        raise InvalidRequest(
            f"configurationId {configuration_id!r} is no configuration of the resource group {group!r}: "
            "GET /v2/lm/configurations lists them"
        )
    executable = _executable_of(session, found)
    workflow = workflow_document(
        executable.template.get("body") or {},
        bound_values.parameters(executable, found),
        bound_values.inputs(session, executable, found),
        execution_outputs.declared(executable),
    )
    return Runnable(found, workflow)


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
