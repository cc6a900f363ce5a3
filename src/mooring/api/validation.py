"""What is wrong with a request, in one sentence per field: the field, the problem, what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from mooring.errors import InvalidRequest

_MOST_PROBLEMS = 10


def explain(error: RequestValidationError) -> InvalidRequest:
    """The framework's findings as an error of ours. Values are not repeated: they may be secrets."""
    if isinstance(error.body, bytes) and error.body:
        return InvalidRequest("the body is not declared as JSON: send Content-Type: application/json")
    problems = [_problem(finding) for finding in error.errors()[:_MOST_PROBLEMS]]
    message = "; ".join(f"{field}: {text}" for field, text in problems)
    fields = [{"field": field, "problem": text} for field, text in problems]
    return InvalidRequest(message, details={"fields": fields})


def _problem(finding: Mapping[str, Any]) -> tuple[str, str]:
    where, *path = finding["loc"]
    match finding["type"]:
        case "json_invalid":
            return "body", f"is no JSON: {finding['ctx']['error']} at character {path[0] if path else 0}"
        case "missing":
            return _field(where, path), "is required"
        case _:
            return _field(where, path), _in_our_words(finding)


def _field(where: object, path: Sequence[object]) -> str:
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f"{'.' if name else ''}{part}"
    return name or str(where)


def _in_our_words(finding: Mapping[str, Any]) -> str:
    message = str(finding["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    for theirs, ours in (
        ("Input should be ", "must be "),
        ("String should ", "must "),
        ("List should ", "must "),
        ("Value should ", "must "),
        ("Dictionary should ", "must "),
        ("Extra inputs are not permitted", "is no field of this object"),
    ):
        if message.startswith(theirs):
            return ours + message.removeprefix(theirs)
    return message
