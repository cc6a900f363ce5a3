"""A template as the rest of Mooring sees it: what its executable offers, and what is filled in when it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mooring.templates.metadata import Metadata, Parameter, TemplateArtifact
from mooring.templates.trees import Tree

SERVING = "ServingTemplate"
WORKFLOW = "WorkflowTemplate"


@dataclass(frozen=True)
class ExecutableTemplate:
    """`body` holds the fields that have an effect, with their placeholders; `warnings` names those that have none."""

    kind: str
    metadata: Metadata
    parameters: tuple[Parameter, ...]
    inputs: tuple[TemplateArtifact, ...]
    outputs: tuple[TemplateArtifact, ...]
    body: Mapping[str, Tree] = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def deployable(self) -> bool:
        return self.kind == SERVING
