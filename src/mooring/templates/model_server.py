"""The built-in executable: any logged model behind our model server, without a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mooring.domain.model_names import url_name
from mooring.domain.resource_plans import DEFAULT_PLAN, RESOURCE_PLANS
from mooring.domain.revisions import ModelServerSpec
from mooring.errors import InvalidRequest
from mooring.templates import model_uris

SCENARIO_ID = "mooring"
EXECUTABLE_ID = "model-server"
SCENARIO_NAME = "Mooring"
SCENARIO_DESCRIPTION = "Models of the registry, served as they were logged."
EXECUTABLE_NAME = "Model server"
EXECUTABLE_DESCRIPTION = "Serves one MLflow model."
VERSION_ID = "1.0.0"


@dataclass(frozen=True)
class Parameter:
    """A parameter of an executable; without a default it has to be bound."""

    name: str
    description: str
    default: str | None = None

    def to_json(self) -> dict[str, str]:
        """As the AI API shows it."""
        facts = {"name": self.name, "type": "string", "description": self.description}
        return facts if self.default is None else {**facts, "default": self.default}


PARAMETERS = (
    Parameter("modelUri", f"Where the model lies: {model_uris.FORMS}."),
    Parameter("modelName", "Its name in the model server's URLs; empty takes the name in modelUri.", ""),
    Parameter("resourcePlan", f"Its size: {', '.join(RESOURCE_PLANS)}.", DEFAULT_PLAN),
)


def render(parameters: Mapping[str, str], *, local_folders: Sequence[Path] = ()) -> ModelServerSpec:
    """What a replica has to run. Parameters that are not ours are ignored, as everywhere in the AI API.

    `local_folders`: models below these may be named by path. Raises InvalidRequest, naming the parameter.
    """
    values = _with_defaults(parameters)
    source = model_uris.parse(values["modelUri"], local_folders=local_folders)
    return ModelServerSpec(
        model_uri=source.uri,
        model_name=url_name(values["modelName"] or source.name),
        model_version=source.version,
        resource_plan=_known_plan(values["resourcePlan"]),
    )


def _with_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for parameter in PARAMETERS:
        value = parameters.get(parameter.name, parameter.default)
        if value is None:
            raise InvalidRequest(
                f"the parameter {parameter.name!r} has no value: bind it in the configuration's parameterBindings"
            )
        values[parameter.name] = value
    return values


def _known_plan(name: str) -> str:
    if name not in RESOURCE_PLANS:
        raise InvalidRequest(f"resourcePlan {name!r} is not known: use one of {', '.join(RESOURCE_PLANS)}")
    return name
