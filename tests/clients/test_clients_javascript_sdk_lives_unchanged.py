"""The official JavaScript SDK, as it is on npm, through the life of every object."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.environments import node_modules

PACKAGE = Path(__file__).parent / "javascript"
_MOST_SECONDS = 120


@pytest.fixture
def life(tmp_path: Path) -> Path:
    """The script, where it finds its packages."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not on this machine: install nodejs and npm to try the JavaScript SDK")
    (tmp_path / "node_modules").symlink_to(node_modules(PACKAGE))
    for script in PACKAGE.glob("*.mjs"):
        shutil.copy(script, tmp_path)
    return tmp_path / "life.mjs"


@pytest.mark.slow
def test_a_whole_life(life: Path, environment: dict[str, str]) -> None:
    key = {
        "clientid": environment["AICORE_CLIENT_ID"],
        "clientsecret": environment["AICORE_CLIENT_SECRET"],
        "url": environment["AICORE_AUTH_URL"],
        "serviceurls": {"AI_API_URL": environment["AICORE_BASE_URL"].removesuffix("/v2")},
    }
    done = subprocess.run(
        [str(shutil.which("node")), life],
        env={"AICORE_SERVICE_KEY": json.dumps(key), "AICORE_RESOURCE_GROUP": environment["AICORE_RESOURCE_GROUP"]},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("done ") > 15, done.stdout
