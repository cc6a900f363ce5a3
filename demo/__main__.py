"""The story of the demo, top to bottom."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from demo.installation import DemoInstallation
from demo.models import NAME, Training, train_and_register
from demo.story import WAIT_SECONDS, step, tell, times, wait_for
from demo.traffic import Tally, Traffic

CLIENTS = 8
_console = Console()


def main() -> int:
    """Exit code 0 only when everything went as promised."""
    installation = DemoInstallation(Path(tempfile.mkdtemp(prefix="mooring-demo-")), ("--with-mlflow",))
    return tell("demo", installation, lambda: tell_the_story(installation))


def tell_the_story(mooring: DemoInstallation) -> None:
    """Each step is timed and raises when it does not do what it should."""
    _console.rule("[bold]Mooring: from a registered model to a URL that never changes")
    with step("start Mooring and a real MLflow"):
        mooring.up()
    with step("train two versions of a scikit-learn pipeline and register them"):
        training = train_and_register(mooring.mlflow_url, log=mooring.home / "logs" / "training.log")
    url, token = f"{mooring.url}/models/{NAME}", mooring.token()
    with step("tag version 1 'production' → the URL answers"):
        registry(mooring).set_model_version_tag(NAME, "1", "production", "true")
        wait_until_it_answers(url, token, training)
    show_the_url(url, token, training)
    show_the_switch(move_production(mooring, url, token, training), url)
    show_the_tags(mooring)
    with step("end everything"):
        mooring.down()
    still = [p for p in mooring.status()["processes"] if p["pid"]]
    if still:
        raise RuntimeError(f"still running: {still}")


def wait_until_it_answers(url: str, token: str, training: Training) -> None:
    """No call announces the model: the URL simply begins to answer."""

    def answers() -> bool:
        response = ask(url, token, training)
        return response.status_code == httpx.codes.OK

    wait_for(answers, f"{url} does not answer")


def move_production(mooring: DemoInstallation, url: str, token: str, training: Training) -> Tally:
    """Version 2 takes over while clients keep calling."""
    rows = training.rows.to_dict(orient="records")
    with Traffic(f"{url}/invocations", token, rows, training.answers, CLIENTS) as traffic:
        with step(f"{CLIENTS} clients call version 1"):
            traffic.wait_for("1", requests=500, timeout_seconds=WAIT_SECONDS)
        with step("move 'production' to version 2 → version 2 answers at the same URL"):
            client = registry(mooring)
            client.set_model_version_tag(NAME, "2", "production", "true")
            client.delete_model_version_tag(NAME, "1", "production")
            traffic.wait_for("2", requests=1, timeout_seconds=WAIT_SECONDS)
        with step("the old version steps down while the clients go on"):
            traffic.wait_for("2", requests=500, timeout_seconds=WAIT_SECONDS)
            wait_for(lambda: replicas(mooring) == 1, "the old replica has not ended")
    return traffic.tally


def show_the_url(url: str, token: str, training: Training) -> None:
    response = ask(url, token, training)
    served = response.raise_for_status().json()["predictions"]
    _console.print(f"\n  URL       [bold cyan]{url}/[/]   (Swagger: {url}/api/)", highlight=False, soft_wrap=True)
    _console.print(f"  served    {[round(value, 3) for value in served[:4]]} …")
    _console.print(f"  predict() {[round(value, 3) for value in training.answers['1'][:4]]} …\n")
    if not same(served, training.answers["1"]):
        raise RuntimeError("the served answers are not the model's own")


def show_the_switch(tally: Tally, url: str) -> None:
    colour = "green" if not tally.failures else "red"
    _console.print(f"\n  URL              the same: {url}/", highlight=False, soft_wrap=True)
    _console.print(f"  answered by      version 1: {tally.answered_by['1']}, version 2: {tally.answered_by['2']}")
    _console.print(f"  [bold {colour}]requests failed: {len(tally.failures)}[/] of {tally.requests}")
    _console.print(times())
    if tally.failures:
        raise RuntimeError(f"{len(tally.failures)} requests failed, the first: {tally.failures[0]}")


def show_the_tags(mooring: DemoInstallation) -> None:
    client = registry(mooring)
    wait_for(
        lambda: client.get_model_version(NAME, "2").tags.get("deployment_status") == "RUNNING", "no tags came back"
    )
    table = Table("", "tag", "value", box=None, title="\nWritten back to MLflow", title_justify="left")
    for key, value in sorted(client.get_registered_model(NAME).tags.items()):
        table.add_row("model", key, value)
    for version in ("1", "2"):
        for key, value in sorted(client.get_model_version(NAME, version).tags.items()):
            table.add_row(f"version {version}", key, value)
    _console.print(table)


def ask(url: str, token: str, training: Training) -> httpx.Response:
    body = {"dataframe_records": training.rows.to_dict(orient="records")}
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/invocations", json=body, headers=headers, timeout=60, trust_env=False)


def same(left: list[float], right: list[float]) -> bool:
    return len(left) == len(right) and all(abs(a - b) < 1e-6 for a, b in zip(left, right, strict=True))


def registry(mooring: DemoInstallation) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(mooring.mlflow_url)


def replicas(mooring: DemoInstallation) -> int:
    return sum(1 for process in mooring.status()["processes"] if process["name"] == "replica" and process["pid"])


if __name__ == "__main__":
    sys.exit(main())
