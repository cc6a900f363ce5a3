"""What the metadata of a template says about its executable."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, mapping, required_text, sequence, text

_ID = re.compile(r"[A-Za-z0-9_.-]{4,64}")
_LABEL_PREFIX = "ext.ai.sap.com/"
_ARTIFACT_PREFIX = "artifacts.ai.sap.com/"
_KINDS = ("model", "dataset", "resultset", "other")
_LONGEST_NAME = 256
_LONGEST_TEXT = 5000
_MOST_PARAMETERS = 1000


@dataclass(frozen=True)
class Metadata:
    """Names, version and labels; `annotations` are kept for those of the artifacts."""

    id: str
    name: str
    description: str
    version_id: str
    scenario_id: str
    scenario_name: str
    scenario_description: str
    labels: tuple[tuple[str, str], ...]
    annotations: Mapping[str, str] = field(repr=False)

    @property
    def cascades(self) -> bool:
        """Whether deployments that run follow a change of the template."""
        return self.annotations.get("executables.ai.sap.com/cascade-update-deployments", "").strip().lower() == "true"


@dataclass(frozen=True)
class Parameter:
    """A parameter; without a default, configurations have to bind it."""

    name: str
    default: str | None
    description: str

    def to_json(self) -> dict[str, str]:
        """As the AI API shows it."""
        shown = {"name": self.name, "type": "string", "default": self.default, "description": self.description}
        return {key: value for key, value in shown.items() if value}


@dataclass(frozen=True)
class TemplateArtifact:
    """An input (`name` is what configurations bind) or an output (`name` is its `globalName`)."""

    name: str
    kind: str | None = None
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    registered_name: str = ""
    suffix: str = ""

    def to_json(self) -> dict[str, object]:
        """As the AI API shows it, without any other field."""
        labels = [{"key": key, "value": value} for key, value in self.labels]
        shown = {"name": self.name, "kind": self.kind, "description": self.description, "labels": labels}
        return {key: value for key, value in shown.items() if value}

    def registration(self) -> dict[str, str]:
        """What the AI API does not show, but registering the artifact needs."""
        return {"globalName": self.name, "name": self.registered_name, "suffix": self.suffix}


def read_metadata(document: Mapping[str, Tree]) -> Metadata:
    """Raises TemplateError, naming what is missing."""
    metadata = mapping(document.get("metadata"), "metadata")
    labels = _texts(metadata.get("labels"), "metadata.labels")
    annotations = _texts(metadata.get("annotations"), "metadata.annotations")
    id_ = _id(required_text(metadata.get("name"), "metadata.name"), "metadata.name")
    scenario = _required(labels, "scenarios.ai.sap.com/id")
    return Metadata(
        id=id_,
        name=_short(annotations.get("executables.ai.sap.com/name") or id_),
        description=annotations.get("executables.ai.sap.com/description", "")[:_LONGEST_TEXT],
        version_id=_short(_required(labels, "ai.sap.com/version")),
        scenario_id=_id(scenario, "metadata.labels.scenarios.ai.sap.com/id"),
        scenario_name=_short(annotations.get("scenarios.ai.sap.com/name") or scenario),
        scenario_description=annotations.get("scenarios.ai.sap.com/description", "")[:_LONGEST_TEXT],
        labels=tuple((key, value) for key, value in labels.items() if key.startswith(_LABEL_PREFIX)),
        annotations=annotations,
    )


def read_parameters(tree: Tree | None, path: str) -> tuple[Parameter, ...]:
    """Parameters in the order of the template; `value` counts as a default. Raises TemplateError."""
    found: dict[str, Parameter] = {}
    for i, item in enumerate(sequence(tree, path)):
        where = f"{path}[{i}]"
        entry = mapping(item, where)
        name = required_text(entry.get("name"), f"{where}.name")
        if name in found:
            raise TemplateError(where, f"declares {name!r} a second time")
        kind = text(entry.get("type"), f"{where}.type") or "string"
        if kind != "string":
            raise TemplateError(f"{where}.type", f"is {kind!r}; only string is known")
        default = text(entry.get("default"), f"{where}.default")
        if default is None:
            default = text(entry.get("value"), f"{where}.value")
        found[name] = Parameter(name, default, text(entry.get("description"), f"{where}.description") or "")
    if len(found) > _MOST_PARAMETERS:
        raise TemplateError(path, f"declares {len(found)} parameters; at most {_MOST_PARAMETERS} are allowed")
    return tuple(found.values())


def artifact(metadata: Metadata, name: str, *, default_kind: str | None = None) -> TemplateArtifact:
    """An artifact with what the annotations say about it. Raises TemplateError."""
    prefix = f"{_ARTIFACT_PREFIX}{name}."
    facts = {key.removeprefix(prefix): value for key, value in metadata.annotations.items() if key.startswith(prefix)}
    kind = facts.get("kind") or default_kind
    if kind is not None and kind not in _KINDS:
        raise TemplateError(f"metadata.annotations.{prefix}kind", f"is {kind!r}; use one of {', '.join(_KINDS)}")
    return TemplateArtifact(
        name=name,
        kind=kind,
        description=facts.get("description", "")[:_LONGEST_TEXT],
        labels=_artifact_labels(facts.get("labels"), f"metadata.annotations.{prefix}labels"),
        registered_name=_short(facts.get("name") or name),
        suffix=facts.get("suffix", ""),
    )


def _artifact_labels(value: str | None, path: str) -> tuple[tuple[str, str], ...]:
    if not value:
        return ()
    try:
        labels = json.loads(value)
    except ValueError:
        raise TemplateError(path, "has to be a JSON object in a text") from None
    if not isinstance(labels, dict):
        raise TemplateError(path, "has to be a JSON object in a text")
    return tuple((str(key), str(item)) for key, item in labels.items() if str(key).startswith(_LABEL_PREFIX))


def _texts(tree: Tree | None, path: str) -> dict[str, str]:
    return {key: text(value, f"{path}.{key}") or "" for key, value in mapping(tree, path).items()}


def _required(labels: Mapping[str, str], name: str) -> str:
    if not labels.get(name):
        raise TemplateError(f"metadata.labels.{name}", "is required")
    return labels[name]


def _id(value: str, path: str) -> str:
    if not _ID.fullmatch(value):
        raise TemplateError(
            path, f"is {value[:80]!r}; 4 to 64 letters, digits, dots, underscores or hyphens are needed"
        )
    return value


def _short(value: str) -> str:
    return value[:_LONGEST_NAME]
