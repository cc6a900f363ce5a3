"""What every step of the life uses: the clients, and where they are in the world."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ai_api_client_sdk.ai_api_v2_client import AIAPIV2Client
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

SCENARIO = "mooring"
DEPLOYABLE = "model-server"
WORKFLOW = "train"
"""The id of a workflow executable that the test has put into the server's catalogue, in the same scenario."""
DATA_INPUT = "data"
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class World:
    """The clients of one resource group, made as people make them."""

    core: Any
    api: Any
    url: str
    group: str
    generation: int


def world_of_environment() -> World:
    """From the variables that a shell with `mooring env` has."""
    credentials = {
        "auth_url": os.environ["AICORE_AUTH_URL"] + "/oauth/token",
        "client_id": os.environ["AICORE_CLIENT_ID"],
        "client_secret": os.environ["AICORE_CLIENT_SECRET"],
        "resource_group": os.environ["AICORE_RESOURCE_GROUP"],
    }
    base_url = os.environ["AICORE_BASE_URL"]
    return World(
        core=AICoreV2Client(base_url=base_url, **credentials),
        api=AIAPIV2Client(base_url=f"{base_url}/lm", **credentials),
        url=base_url,
        group=credentials["resource_group"],
        generation=_generation(),
    )


def _generation() -> int:
    try:
        return int(version("sap-ai-sdk-core").split(".")[0])
    except PackageNotFoundError:
        return int(version("ai-core-sdk").split(".")[0])


def eventually(look: Callable[[], bool], what: str) -> None:
    """Wait as scripts do: ask again and again, up to a deadline."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.02)


def refused(call: Callable[[], object], error: type[Exception]) -> Any:
    """The error with which the SDK refuses a call; of exactly this type, because scripts catch types."""
    try:
        answer = call()
    except error as exception:
        if type(exception) is error:
            return exception
        raise
    raise AssertionError(f"{error.__name__} was expected, and not {answer!r}")
