"""`make example`: the example project, from a push into a git repository to a server of its own, for real.

SAP's SDK makes the repository and the application, as a team does once; the rest is `mooring deploy`, as a pipeline
does it on each push: artifact, training, model, server, a change.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from demo.installation import DemoInstallation
from demo.story import step, tell, wait_for

PROJECT = Path(__file__).parent.parent / "examples" / "taxi"
IMAGE = "registry.example.com/taxi:1.0.0"
_APPLICATION = "taxi"
_TRIP = {"distance_km": 12, "hour": 8, "weekday": 1}
_console = Console()


def main() -> int:
    """Exit code 0 only when everything went as promised."""
    folder = Path(tempfile.mkdtemp(prefix="mooring-example-"))
    repository = folder / "taxi.git"
    stand_in = f"{IMAGE}={PROJECT / 'src'}"
    settings = {"MOORING_GIT_FOLDERS": json.dumps([str(folder)])}
    installation = DemoInstallation(folder, ("--stand-in", stand_in), settings)
    return tell("example", installation, lambda: _story(installation, repository))


def _story(mooring: DemoInstallation, repository: Path) -> None:
    _console.rule("[bold]Mooring: from a push to a server of your own")
    with step("push the project into a git repository"):
        push(repository)
    with step("start Mooring; a folder stands in for the image"):
        mooring.up()
    client = sdk(mooring)
    with step("sync: the templates become executables"):
        onboard(client, repository)
    config = repository.with_suffix("") / "cicd" / "config.json"
    mooring.upload(PROJECT / "data" / "trips.csv", "default/taxi/trips/trips.csv")
    with step("mooring deploy: train a model, and a server that loads it"):
        results = mooring.deploy(config)
    show_training(client, results["taxi-training"]["id"])
    url = results["taxi-server"]["url"]
    show(mooring, url, "Good trip!")
    with step("mooring deploy: the same URL, another greeting"):
        config.write_text(config.read_text().replace("Good trip!", "Safe trip!"))
        changed = mooring.deploy(config)
    if (changed["taxi-training"]["action"], changed["taxi-server"]["url"]) != ("reused", url):
        raise RuntimeError(f"a change of the greeting alone led to {changed}")
    show(mooring, url, "Safe trip!")
    with step("end everything"):
        mooring.down()


def push(repository: Path) -> None:
    """A repository with one commit: the project as it lies here."""
    work = repository.with_suffix("")
    shutil.copytree(PROJECT, work)
    identity = ("-c", "user.name=example", "-c", "user.email=example@example.com")
    git("init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    git("init", "--quiet", "--initial-branch=main", str(work))
    git("-C", str(work), "add", "--all")
    git("-C", str(work), *identity, "commit", "--quiet", "--message", "Taxi trips")
    git("-C", str(work), "push", "--quiet", str(repository), "main")


def git(*arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], env=environment, check=True, timeout=60)


def sdk(mooring: DemoInstallation) -> Any:
    from ai_core_sdk.ai_core_v2_client import AICoreV2Client

    key = mooring.service_key()
    return AICoreV2Client(
        base_url=f"{key['serviceurls']['AI_API_URL']}/v2",
        auth_url=f"{key['url']}/oauth/token",
        client_id=key["clientid"],
        client_secret=key["clientsecret"],
        resource_group="default",
    )


def onboard(client: Any, repository: Path) -> None:
    client.repositories.create("taxi", str(repository), "", "")
    client.applications.create(revision="main", path="templates", application_name=_APPLICATION, repository_name="taxi")

    def is_synced() -> bool:
        return bool(client.applications.get_status(_APPLICATION).sync_status == "Synced")

    wait_for(is_synced, "the application is not synced")


def show_training(client: Any, execution: str) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    for line in client.execution.query_logs(execution, start=since).data.result:
        _console.print(f"    [dim]{line.msg.rstrip()}[/]", highlight=False)
    measured = client.metrics.query(execution_ids=[execution]).resources[0].metrics
    _console.print(f"    metrics: {', '.join(f'{m.name} = {m.value:.2f}' for m in measured)}", highlight=False)
    (model,) = client.execution.get(execution).output_artifacts
    _console.print(f"    model:   {model.url}", highlight=False)


def show(mooring: DemoInstallation, url: str, greeting: str) -> None:
    headers = {"Authorization": f"Bearer {mooring.token()}"}
    answer = httpx.post(f"{url}/v2/predict", json=_TRIP, headers=headers, timeout=60, trust_env=False)
    said = answer.raise_for_status().json()
    _console.print(f"    POST [bold cyan]{url}/v2/predict[/]  →  {said}", highlight=False, soft_wrap=True)
    if said["greeting"] != greeting:
        raise RuntimeError(f"the server greets with {said['greeting']!r} instead of {greeting!r}")


if __name__ == "__main__":
    sys.exit(main())
