"""What the placeholders of a template stand for while it is evaluated."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mooring.templates.budgets import Budget
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import PATTERN, fill_text
from mooring.templates.trees import Scalar, Tree, to_values
from mooring.workflows.outcomes import Outcome, Phase, Stored

_CALL = re.compile(
    r"(?:steps|tasks)\.([\w-]+)\."
    r"(?:outputs\.parameters\.(?P<parameter>.+)|outputs\.artifacts\.(?P<artifact>.+)"
    r"|(?P<fact>outputs\.result|exitCode|status|id))",
    re.ASCII,
)
_ITEM_FIELD = re.compile(r"item(?:\.([\w.-]+)|\[['\"]?([^\[\]'\"]+)['\"]?\])", re.ASCII)
_ROOTS = frozenset({"workflow", "inputs", "outputs", "steps", "tasks", "item", "pod", "node", "retries"})


MOST_CHARACTERS = 50_000_000
"""What all placeholders of one walk may come to."""


@dataclass(frozen=True)
class Scope:
    """`values`: by the whole name of a placeholder. `artifacts`: the template's inputs (None: an optional one that is
    not there). `calls`: how its steps or tasks stand, as far as they are done. `item`: of `withItems`."""

    values: Mapping[str, str]
    artifacts: Mapping[str, Stored | None] = field(default_factory=dict)
    calls: Mapping[str, Outcome] = field(default_factory=dict)
    item: Tree | None = None
    budget: Budget = field(default_factory=lambda: Budget(MOST_CHARACTERS), compare=False)

    def with_item(self, item: Tree) -> "Scope":
        return replace(self, item=item)

    def with_values(self, values: Mapping[str, str]) -> "Scope":
        return replace(self, values={**self.values, **values})

    def fill(self, text: str) -> str:
        """Raises TemplateError for what has no value."""
        return fill_text(text, self.resolve)

    def resolve(self, name: str) -> str:
        """The value of one placeholder; what is none of ours stays as it is. Raises TemplateError."""
        if name in self.values:
            return self.budget.take(self.values[name])
        root = re.split(r"[.\[]", name)[0]
        if root not in _ROOTS:
            return f"{{{{{name}}}}}"
        value = self._of_item(name) if root == "item" else self._of_call(name)
        if value is None:
            raise TemplateError("", f"{{{{{name}}}}} has no value{self._why(name)}")
        return self.budget.take(value)

    def artifact(self, reference: str) -> Stored | None:
        """What `from: "{{…}}"` names; None when it is not there. Raises TemplateError when it is no artifact."""
        match = PATTERN.fullmatch(reference.strip())
        name = match[1] if match else ""
        own = name.removeprefix("inputs.artifacts.")
        if own != name and own in self.artifacts:
            return self.artifacts[own]
        call = _CALL.fullmatch(name)
        if call is None or call["artifact"] is None:
            raise TemplateError("", f"{reference!r} names no artifact of an input, a step or a task")
        outcome = self.calls.get(call[1])
        return outcome.outputs.artifacts.get(call["artifact"]) if outcome else None

    def _of_call(self, name: str) -> str | None:
        match = _CALL.fullmatch(name)
        outcome = self.calls.get(match[1]) if match else None
        if match is None or outcome is None:
            return None
        outputs = outcome.outputs
        if match["parameter"]:
            return outputs.parameters.get(match["parameter"])
        if match["artifact"]:
            stored = outputs.artifacts.get(match["artifact"])
            return stored.url if stored else None
        facts = {
            "outputs.result": outputs.result,
            "exitCode": None if outputs.exit_code is None else str(outputs.exit_code),
            "status": outcome.phase.value,
            "id": outcome.id,
        }
        return facts[match["fact"]]

    def _of_item(self, name: str) -> str | None:
        if self.item is None:
            return None
        if name == "item":
            return item_text(self.item)
        match = _ITEM_FIELD.fullmatch(name)
        value = self.item.get(match[1] or match[2]) if match and isinstance(self.item, dict) else None
        return None if value is None else item_text(value)

    def _why(self, name: str) -> str:
        match = _CALL.fullmatch(name)
        outcome = self.calls.get(match[1]) if match else None
        if match is None:
            return ""
        if outcome is None:
            return f": {match[1]!r} has not ended before"
        if outcome.phase in (Phase.SKIPPED, Phase.OMITTED):
            return f": {match[1]!r} was {outcome.phase.value.lower()}"
        return f": {match[1]!r} has not given it"


def item_text(item: Tree) -> str:
    """An item as its placeholder shows it: a single value as it is written, all else as JSON."""
    if isinstance(item, Scalar):
        return item.text
    return json.dumps(to_values(item), ensure_ascii=False, separators=(",", ":"))
