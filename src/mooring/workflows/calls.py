"""A step or a task: whether it runs, how often, and what comes of it for others."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mooring.templates.budgets import Budget
from mooring.templates.container_values import flag, shown
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import fill
from mooring.templates.trees import Tree, entries, mapping, required_text, sequence, text
from mooring.templates.workflow_conditions import holds, read_condition
from mooring.workflows.arguments import Given, given
from mooring.workflows.orders import Place, repeated
from mooring.workflows.outcomes import Outcome, Outputs, Phase, alone, gather
from mooring.workflows.scope import Scope, item_text
from mooring.workflows.workflow import Template, Workflow

Call = Mapping[str, Tree]
Run = Callable[[str, Place, Callable[[], Given]], Outcome]
"""Evaluates a template at its place, with what is handed over when that is asked for."""
Count = Callable[[Place], None]
"""Counts one more node. Raises when there are too many."""
_LONGEST_ITEM = 40
_LONGEST_LIST = 1_000_000


def outcome_of(call: Call, scope: Scope, place: Place, workflow: Workflow, run: Run, count: Count) -> Outcome:
    """How a step or task stands: one run of its template, or one per item."""
    count(place)
    template = required_text(call.get("template"), "template")
    if "withItems" not in call:
        return _with_defaults(_one(call, scope, place, run), workflow.templates[template])
    try:
        items = sequence(fill(call["withItems"], scope.resolve), "withItems")
    except TemplateError as error:
        return alone(Phase.ERROR, place.node, template, str(error))
    if not items:
        nothing = alone(Phase.SKIPPED, place.node, template, "there are no items")
        return _with_defaults(nothing, workflow.templates[template])
    children = []
    for i, item in enumerate(items):
        count(place)
        children.append(_one(call, scope.with_item(item), _place_of_item(place, i, item), run))
    return replace(_joined(children), id=place.node)


def tolerated(call: Call, outcome: Outcome) -> bool:
    """Whether what follows goes on although this has failed (`continueOn`)."""
    allowed = mapping(call.get("continueOn"), "continueOn")
    field = "error" if outcome.phase is Phase.ERROR else "failed"
    return flag(allowed.get(field), f"continueOn.{field}")


def _one(call: Call, scope: Scope, place: Place, run: Run) -> Outcome:
    template = required_text(call.get("template"), "template")
    when = text(call.get("when"), "when")
    try:
        if when and not holds(read_condition(when), scope.resolve):
            return alone(Phase.SKIPPED, place.node, template, f"its condition does not hold: {when}")
    except TemplateError as error:
        return alone(Phase.ERROR, place.node, template, f"its condition {shown(when or '')} {error}")
    return run(template, place, lambda: given(call, scope))


def _place_of_item(place: Place, number: int, item: Tree) -> Place:
    text = item_text(item)
    words = "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_ITEM])
    words = words if len(text) <= _LONGEST_ITEM else f"{words}…"
    return repeated(place, f"{place.node}({number}:{words})")


def _joined(children: Sequence[Outcome]) -> Outcome:
    """What was made per item, as one: lists in JSON, without those that were skipped."""
    bad = next((child for child in children if child.bad), None)
    if not all(child.done for child in children):
        return gather(children, Phase.RUNNING)
    if bad:
        return gather(children, bad.phase, failure=bad.failure)
    try:
        return replace(gather(children, Phase.SUCCEEDED), outputs=_lists(children))
    except TemplateError as error:
        return gather(children, Phase.ERROR, failure=f"the list of what was made per item {error}")


def _lists(children: Sequence[Outcome]) -> Outputs:
    made = [child.outputs for child in children if child.phase is Phase.SUCCEEDED]
    names = {name: None for outputs in made for name in outputs.parameters}
    budget = Budget(_LONGEST_LIST)
    return Outputs(
        parameters={
            name: _list([budget.take(each.parameters[name]) for each in made if name in each.parameters])
            for name in names
        },
        result=_list([budget.take(each.result) for each in made if each.result is not None]),
    )


def _list(values: Sequence[str]) -> str:
    return json.dumps([_as_json(value) for value in values], ensure_ascii=False, separators=(",", ":"))


def _as_json(value: str) -> object:
    """A value that is JSON itself is put into a list as what it means; all others are texts."""
    try:
        return json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return value


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _with_defaults(outcome: Outcome, template: Template) -> Outcome:
    """What did not run gives the defaults of its output parameters."""
    if outcome.phase not in (Phase.SKIPPED, Phase.OMITTED):
        return outcome
    defaults = {}
    for path, item in entries(template, "", "outputs", "parameters"):
        default = text(mapping(item.get("valueFrom"), path).get("default"), path)
        if default is not None:
            defaults[required_text(item.get("name"), path)] = default
    return replace(outcome, outputs=Outputs(parameters=defaults))
