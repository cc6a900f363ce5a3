"""Templates that call others: groups of steps one after the other, and graphs of tasks."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mooring.templates.container_values import flag
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, mapping, required_text, sequence, text
from mooring.templates.workflow_order import Dependency, dependencies
from mooring.workflows.calls import Call, tolerated
from mooring.workflows.outcomes import Outcome, Outputs, Phase, Stored, alone, gather
from mooring.workflows.scope import Scope
from mooring.workflows.workflow import Template

Evaluate = Callable[[Call, Scope, str], Outcome]
"""How a step or task stands at a node, seen from the scope of its template."""


def steps(template: Template, scope: Scope, node: str, evaluate: Evaluate) -> Outcome:
    """Each group begins when all of the one before have ended well; one that fails lets the others of its group end."""
    calls: dict[str, Outcome] = {}
    for i, group in enumerate(sequence(template.get("steps"), "steps")):
        found: dict[str, tuple[Call, Outcome]] = {}
        for step in sequence(group, f"steps[{i}]"):
            call = mapping(step, f"steps[{i}]")
            name = required_text(call.get("name"), f"steps[{i}].name")
            found[name] = (call, evaluate(call, replace(scope, calls=calls), f"{node}[{i}].{name}"))
        calls = {**calls, **{name: outcome for name, (_, outcome) in found.items()}}
        if not all(outcome.done for _, outcome in found.values()):
            return gather(calls.values(), Phase.RUNNING)
        bad = next((outcome for call, outcome in found.values() if outcome.bad and not tolerated(call, outcome)), None)
        if bad:
            return gather(calls.values(), bad.phase, failure=bad.failure)
    return _ended(template, replace(scope, calls=calls), node)


def graph(template: Template, scope: Scope, node: str, evaluate: Evaluate, has_begun: Callable[[str], bool]) -> Outcome:
    """Each task begins when those that it waits for have ended well. With `failFast`, none after a failure."""
    tasks = {required_text(task.get("name"), path): task for path, task in entries(template, "", "dag", "tasks")}
    calls: dict[str, Outcome] = {}
    for name, waited in dependencies(template, "").items():
        if all(each.task in calls and calls[each.task].done for each in waited):
            lacking = next((each.task for each in waited if not _satisfied(each, tasks, calls)), None)
            place = f"{node}.{name}"
            if lacking is None:
                calls[name] = evaluate(tasks[name], replace(scope, calls=calls), place)
            else:
                calls[name] = _omitted(tasks[name], place, f"{lacking!r} was {calls[lacking].phase.value.lower()}")
    bad = next((each for name, each in calls.items() if each.bad and not tolerated(tasks[name], each)), None)
    if bad and flag(mapping(template.get("dag"), "dag").get("failFast"), "dag.failFast", default=True):
        for name, outcome in calls.items():
            if not outcome.done and not has_begun(f"{node}.{name}"):
                calls[name] = _omitted(tasks[name], f"{node}.{name}", "another task has failed")
    if len(calls) < len(tasks) or not all(outcome.done for outcome in calls.values()):
        return gather(calls.values(), Phase.RUNNING)
    if bad:
        return gather(calls.values(), bad.phase, failure=bad.failure)
    return _ended(template, replace(scope, calls=calls), node)


def _omitted(call: Call, node: str, message: str) -> Outcome:
    return alone(Phase.OMITTED, node, required_text(call.get("template"), "template"), message)


def _satisfied(each: Dependency, tasks: Mapping[str, Call], calls: Mapping[str, Outcome]) -> bool:
    outcome = calls[each.task]
    if outcome.phase is Phase.SUCCEEDED:
        return True
    skipped = outcome.phase is Phase.SKIPPED
    return not each.has_to_succeed and (skipped or (outcome.bad and tolerated(tasks[each.task], outcome)))


def _ended(template: Template, scope: Scope, node: str) -> Outcome:
    """All has ended well: what it gives to others, or which output cannot be had."""
    try:
        return _with_outputs(template, scope)
    except TemplateError as error:
        return gather(scope.calls.values(), Phase.ERROR, failure=f"{node}: {error}")


def _with_outputs(template: Template, scope: Scope) -> Outcome:
    parameters = {}
    for path, item in entries(template, "", "outputs", "parameters"):
        parameters[required_text(item.get("name"), f"{path}.name")] = _parameter(item, path, scope)
    whole = gather(scope.calls.values(), Phase.SUCCEEDED)
    artifacts: dict[str, Stored] = {}
    exports = dict(whole.exports)
    for path, item in entries(template, "", "outputs", "artifacts"):
        stored = _artifact(item, path, scope)
        if stored is not None:
            artifacts[required_text(item.get("name"), f"{path}.name")] = stored
            global_name = text(item.get("globalName"), f"{path}.globalName")
            exports.update({global_name: stored.url} if global_name else {})
    return replace(whole, outputs=Outputs(parameters, artifacts), exports=exports)


def _parameter(item: Mapping[str, Tree], path: str, scope: Scope) -> str:
    source = mapping(item.get("valueFrom"), f"{path}.valueFrom")
    default = text(source.get("default"), f"{path}.valueFrom.default")
    try:
        return scope.fill(required_text(source.get("parameter"), f"{path}.valueFrom.parameter"))
    except TemplateError as error:
        if default is not None:
            return scope.fill(default)
        raise TemplateError(path, str(error)) from None


def _artifact(item: Mapping[str, Tree], path: str, scope: Scope) -> Stored | None:
    stored = scope.artifact(required_text(item.get("from"), f"{path}.from"))
    if stored is None and not flag(item.get("optional"), f"{path}.optional"):
        name = required_text(item.get("name"), f"{path}.name")
        raise TemplateError(
            path, f"the artifact {name!r} is not there: {text(item.get('from'), path)} has not been made"
        )
    return stored
