"""Destinations as their finders see them."""

from collections.abc import Sequence
from typing import Any

from mooring.domain.destinations import Level
from mooring.services.destination_checks import Step
from mooring.services.destination_tokens import AuthToken
from mooring.services.destinations import Opened

_SUBACCOUNT = "mooring"
_INSTANCE = "mooring-destinations"


def found(destination: Opened, tokens: Sequence[AuthToken]) -> dict[str, Any]:
    """The answer of "find"; `authTokens` is left out when there are none."""
    owner = {"SubaccountId": _SUBACCOUNT, "InstanceId": _INSTANCE if destination.level is Level.INSTANCE else None}
    shown: dict[str, Any] = {"owner": owner, "destinationConfiguration": destination.properties}
    return {**shown, "authTokens": list(tokens)} if tokens else shown


def checked(destination: Opened, steps: Sequence[Step]) -> dict[str, Any]:
    """What was tried, and whether all of it worked."""
    return {
        "Name": destination.name,
        "OK": all(step.ok for step in steps),
        "Steps": [
            {"Step": step.name, "OK": step.ok, "Detail": step.detail, "Milliseconds": step.milliseconds}
            for step in steps
        ],
    }
