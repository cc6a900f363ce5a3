"""A workflow as an execution runs it: its template and the values that it was asked for with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from mooring.templates.container_values import number
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import fill
from mooring.templates.trees import Tree, entries, from_json, required_text

Template = Mapping[str, Tree]


@dataclass(frozen=True)
class Workflow:
    """`parameters`: values by name, defaults applied. `inputs`: urls of bound artifacts by name. `suffixes`: what the
    url of an output ends in, by `globalName`."""

    execution_id: str
    body: Mapping[str, Tree] = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    inputs: Mapping[str, str]
    suffixes: Mapping[str, str]
    created_at: datetime
    group: str = "default"

    @classmethod
    def from_json(
        cls, execution_id: str, document: Mapping[str, Any], *, created_at: datetime, group: str = "default"
    ) -> "Workflow":
        """From what `Execution.workflow` keeps (see `mooring.templates.workflow_documents`). Raises ValueError."""
        body = from_json(document["body"])
        if not isinstance(body, dict):
            raise ValueError("a workflow's body has to be a mapping")
        return cls(
            execution_id=execution_id,
            body=body,
            parameters=dict(document["parameters"]),
            inputs=dict(document["inputs"]),
            suffixes={each["globalName"]: each.get("suffix") or "" for each in document["outputs"]},
            created_at=created_at,
            group=group,
        )

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """By name. Raises TemplateError."""
        found = entries(self.body, "spec", "templates")
        return {required_text(template.get("name"), f"{path}.name"): template for path, template in found}

    @cached_property
    def values(self) -> Mapping[str, str]:
        """What `{{workflow…}}` stands for."""
        facts = {
            "workflow.name": self.execution_id,
            "workflow.uid": self.execution_id,
            "workflow.namespace": self.group,
            "workflow.creationTimestamp": self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "workflow.status": "Running",
        }
        return facts | {f"workflow.parameters.{name}": value for name, value in self.parameters.items()}

    @property
    def deadline_seconds(self) -> int | None:
        """How long all of it may run. None also for a value that makes no sense: `walk` says so, and it is over."""
        try:
            return self.read_deadline()
        except TemplateError:
            return None

    def read_deadline(self) -> int | None:
        """`activeDeadlineSeconds`. Raises TemplateError when a parameter in it is no number."""
        path = "spec.activeDeadlineSeconds"
        written = self.body.get("activeDeadlineSeconds")
        return None if written is None else number(fill(written, lambda name: self._value(name, path)), path, least=1)

    def _value(self, name: str, path: str) -> str:
        if name not in self.values:
            raise TemplateError(path, f"uses {{{{{name}}}}}, which has no value")
        return self.values[name]
