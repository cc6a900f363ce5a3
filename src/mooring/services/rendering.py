"""From a configuration to what replicas run."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from mooring.domain.revisions import ModelServerSpec
from mooring.errors import InvalidRequest
from mooring.services import executables
from mooring.store.tables import Configuration
from mooring.templates import model_server


def render(session: Session, configuration: Configuration, *, local_folders: Sequence[Path] = ()) -> ModelServerSpec:
    """The spec of a revision. Raises InvalidRequest when the configuration cannot be deployed."""
    executable = executables.find(session, configuration.scenario_id, configuration.executable_id)
    if executable is None:
        raise InvalidRequest(
            f"the executable {configuration.executable_id!r} of the configuration {configuration.id!r} is gone: "
            "make a configuration of one that exists"
        )
    if executable.application is not None and executable.deployable:
        raise InvalidRequest(
            f"the executable {executable.id!r} runs a container of its own, and this installation has nothing yet that "
            f"runs containers: to serve a logged model, use {model_server.EXECUTABLE_ID!r}"
        )
    if not executable.deployable or executable.id != model_server.EXECUTABLE_ID:
        raise InvalidRequest(
            f"the executable {executable.id!r} cannot be deployed: "
            f"use one whose deployable is true, such as {model_server.EXECUTABLE_ID!r}"
        )
    bindings = {binding["key"]: binding["value"] for binding in configuration.parameter_bindings}
    return model_server.render(bindings, local_folders=local_folders)
