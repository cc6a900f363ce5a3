"""From a configuration to what replicas run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session

from mooring.domain.revisions import ContainerServerSpec, RevisionSpec
from mooring.errors import InvalidRequest
from mooring.services import artifact_urls, bound_values, executables
from mooring.store.tables import Configuration, Executable
from mooring.templates import model_server
from mooring.templates.errors import TemplateError
from mooring.templates.serving_rendering import render_server
from mooring.templates.trees import Tree, from_json


def render(session: Session, configuration: Configuration, *, local_folders: Sequence[Path] = ()) -> RevisionSpec:
    """The spec of a revision. Raises InvalidRequest when the configuration cannot be deployed."""
    executable = executables.find(session, configuration.scenario_id, configuration.executable_id)
    if executable is None:
        raise InvalidRequest(
            f"the executable {configuration.executable_id!r} of the configuration {configuration.id!r} is gone: "
            "make a configuration of one that exists"
        )
    if executable.deployable and executable.application is not None:
        return render_template(session, executable, configuration)
    if not executable.deployable or executable.id != model_server.EXECUTABLE_ID:
        raise InvalidRequest(
            f"the executable {executable.id!r} cannot be deployed: "
            f"use one whose deployable is true, such as {model_server.EXECUTABLE_ID!r}"
        )
    bindings = {binding["key"]: binding["value"] for binding in configuration.parameter_bindings}
    return model_server.render(bindings, local_folders=local_folders)


def render_template(session: Session, executable: Executable, configuration: Configuration) -> ContainerServerSpec:
    """What the template of a ServingTemplate's executable runs with this configuration. Raises InvalidRequest."""
    parameters = bound_values.parameters(executable, configuration)
    inputs = bound_values.inputs(session, executable, configuration)
    values = {f"inputs.parameters.{name}": value for name, value in parameters.items()}
    values |= {f"inputs.artifacts.{name}": url for name, url in inputs.items()}
    body = cast("Mapping[str, Tree]", from_json(executable.template["body"]))
    try:
        spec = render_server(body, values)
    except TemplateError as error:
        raise InvalidRequest(
            f"the template of {executable.id!r} cannot be filled with the values of the configuration "
            f"{configuration.id!r}: {error}"
        ) from None
    if spec.storage_uri is not None:
        _check_storage(spec.storage_uri)
    return spec


def _check_storage(url: str) -> None:
    try:
        artifact_urls.parse(url)
    except InvalidRequest as error:
        raise InvalidRequest(f"STORAGE_URI is {url[:200]!r}: {error}") from None
