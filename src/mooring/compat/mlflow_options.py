"""The options of `mlflow deployments create|update -C name=value`, which arrive as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring.compat.errors import CompatError

PARAMETERS = {"model_name": "modelName", "resource_plan": "resourcePlan"}
"""Options that become parameters of the model server."""
_KNOWN = (*PARAMETERS, "timeout_seconds", "wait")


@dataclass(frozen=True)
class Options:
    """`wait` False returns when the server has accepted."""

    parameters: Mapping[str, str]
    timeout_seconds: float = 600.0
    wait: bool = True


def read_options(config: Mapping[str, Any] | None) -> Options:
    """Raises CompatError for what is not known or not possible."""
    given = dict(config or {})
    if unknown := sorted(set(given) - set(_KNOWN)):
        raise CompatError(f"not known: {', '.join(unknown)}. Options are {', '.join(_KNOWN)}")
    return Options(
        {PARAMETERS[key]: str(value) for key, value in given.items() if key in PARAMETERS},
        _seconds(given.get("timeout_seconds", 600)),
        _truth(given.get("wait", True)),
    )


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise CompatError(f"timeout_seconds is a number above 0 and up to 86400, not {value!r}")
    return seconds


def _truth(value: Any) -> bool:
    said = str(value).strip().lower()
    if said not in ("true", "false"):
        raise CompatError(f"wait is true or false, not {value!r}")
    return said == "true"
