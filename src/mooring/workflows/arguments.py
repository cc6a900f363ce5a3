"""From the arguments of a call to the inputs of the template that it calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mooring.templates.budgets import Budget
from mooring.templates.container_values import flag
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, required_text, text
from mooring.workflows.outcomes import Stored
from mooring.workflows.scope import Scope
from mooring.workflows.workflow import Template, Workflow


@dataclass(frozen=True)
class Given:
    """What a caller hands over. An artifact that is None is not there, which is no error for those in `optional`."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Stored | None] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def given(call: Mapping[str, Tree], scope: Scope) -> Given:
    """The arguments of a step or task, with their values. Raises TemplateError."""
    parameters = {}
    for path, item in entries(call, "", "arguments", "parameters"):
        value = text(item.get("value"), f"{path}.value")
        if value is not None:
            parameters[required_text(item.get("name"), f"{path}.name")] = scope.fill(value)
    artifacts: dict[str, Stored | None] = {}
    optional = set()
    for path, item in entries(call, "", "arguments", "artifacts"):
        name = required_text(item.get("name"), f"{path}.name")
        artifacts[name] = scope.artifact(required_text(item.get("from"), f"{path}.from"))
        if flag(item.get("optional"), f"{path}.optional"):
            optional.add(name)
    return Given(parameters, artifacts, frozenset(optional))


def inputs(template: Template, handed: Given, workflow: Workflow, budget: Budget) -> Scope:
    """The scope in which a template is evaluated. Raises TemplateError for an input that nobody gives."""
    values = dict(workflow.values)
    outer = Scope(workflow.values, budget=budget)
    for path, item in entries(template, "", "inputs", "parameters"):
        name = required_text(item.get("name"), f"{path}.name")
        values[f"inputs.parameters.{name}"] = _parameter(name, item, handed, outer)
    artifacts = dict(_input_artifacts(template, handed, workflow))
    values.update((f"inputs.artifacts.{name}", stored.url) for name, stored in artifacts.items() if stored)
    return Scope(values, artifacts, budget=budget)


def _parameter(name: str, item: Mapping[str, Tree], handed: Given, outer: Scope) -> str:
    if name in handed.parameters:
        return handed.parameters[name]
    for source in ("value", "default"):
        found = text(item.get(source), f"inputs.parameters.{name}.{source}")
        if found is not None:
            return outer.fill(found)
    raise TemplateError(f"inputs.parameters.{name}", "has no value: hand one over in the arguments, or give a default")


def _input_artifacts(template: Template, handed: Given, workflow: Workflow) -> Iterator[tuple[str, Stored | None]]:
    for path, item in entries(template, "", "inputs", "artifacts"):
        name = required_text(item.get("name"), f"{path}.name")
        stored = handed.artifacts.get(name)
        if name not in handed.artifacts and name in workflow.inputs:
            stored = Stored(workflow.inputs[name])
        optional = name in handed.optional or flag(item.get("optional"), f"{path}.optional")
        if stored is None and not optional:
            problem = "is not there: no step hands it over, and the configuration does not bind it"
            raise TemplateError(f"inputs.artifacts.{name}", problem)
        yield name, stored
