"""What an execution keeps of its template when it is asked for: a later change of the template changes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from mooring.templates.trees import entries, from_json, required_text, text


def workflow_document(
    body: Mapping[str, Any],
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
    outputs: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What `Execution.workflow` keeps. `body`: as the executable's template has it. `parameters`: values by name,
    defaults applied. `inputs`: urls by artifact name. `outputs`: `{"globalName", "name", "kind", "suffix", "labels"}`
    each."""
    return {
        "body": dict(body),
        "parameters": dict(parameters),
        "inputs": dict(inputs),
        "outputs": [dict(each) for each in outputs],
    }


def optional_inputs(body: Mapping[str, Any]) -> frozenset[str]:
    """The input artifacts that a configuration need not bind: optional wherever they are declared."""
    tree = from_json(body)
    needed: dict[str, bool] = {}
    for path, template in entries(tree if isinstance(tree, dict) else {}, "spec", "templates"):
        for where, item in entries(template, path, "inputs", "artifacts"):
            name = required_text(item.get("name"), f"{where}.name")
            # What a placeholder decides cannot be relied on here.
            optional = (text(item.get("optional"), f"{where}.optional") or "").lower() == "true"
            needed[name] = needed.get(name, False) or not optional
    return frozenset(name for name, is_needed in needed.items() if not is_needed)
