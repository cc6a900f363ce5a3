"""From a push to the version behind a destination, a run that has nothing to do, and promotions under traffic."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from bench.full_store import fill_with_runs_of_a_pipeline
from bench.system import MeasuredInstallation, seconds_until
from bench.tables import Row, print_table
from mooring.client.client import AIClient
from mooring.client.destinations import DestinationClient
from mooring.store.database import Database
from mooring.store.tables import Configuration
from tests.git_server import Repo
from tests.prober import Prober
from tests.system import releases

_RUNS = 5
_CONFIGURATIONS = 10_000
_PROMOTIONS = 20
_BETWEEN = 200
"""Requests."""
_EVERY_SECONDS = 0.01


def main() -> None:
    """Everything in one installation, with a folder in place of the image, next to a git server on this machine."""
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
        settings = releases.settings(Path(folder) / "src")
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        mooring = MeasuredInstallation(Path(folder) / "home")
        mooring.up()
        try:
            with releases.git_server(Path(folder) / "git") as repo:
                _measure(_Bench.of(mooring, repo))
        finally:
            mooring.down()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _measure(bench: "_Bench") -> None:
    bench.onboard()
    print_table("Pipeline: from a push to the version behind the destination", *bench.pushes())
    print_table("Pipeline: promotions of a destination", *bench.promotions())
    print_table("Pipeline: a run that has nothing to do", *bench.unchanged())


@dataclass
class _Bench:
    """`environment` is that of the command; `http` has a token and the resource group."""

    mooring: MeasuredInstallation
    repo: Repo
    environment: dict[str, str]
    http: httpx.Client
    client: AIClient
    service: DestinationClient
    number: int = 0
    commit: str = ""

    @classmethod
    def of(cls, mooring: MeasuredInstallation, repo: Repo) -> "_Bench":
        env = releases.credentials(mooring.command("env"))
        headers = {**mooring.headers(), "AI-Resource-Group": "default"}
        http = httpx.Client(base_url=mooring.url, headers=headers, timeout=60)
        client = AIClient.from_service_key(mooring.key)
        return cls(mooring, repo, {**os.environ, **env}, http, client, DestinationClient.from_env(env))

    def onboard(self) -> None:
        body = {"name": "team", "url": self.repo.url, "username": "", "password": ""}
        self.http.post("/v2/admin/repositories", json=body).raise_for_status()
        application = {"applicationName": "team", "repositoryName": "team", "revision": "main", "path": "."}
        self.http.post("/v2/admin/applications", json=application).raise_for_status()
        seconds_until(self._is_synced)
        self._push()
        self._deploy("blue")

    # --- from a push to the destination ---

    def pushes(self) -> list[Row]:
        """By the pipeline and by bare calls in turns: what they differ by is the pipeline's own."""
        pipeline, bare, command = [], [], []
        for _ in range(_RUNS):
            pipeline.append(self._until_answered(lambda: self._deploy("blue")))
            bare.append(self._until_answered(self._by_hand))
            command.append(_timed(lambda: self.mooring.command("--version")))
        own = statistics.median(pipeline) - statistics.median(bare)
        return [
            Row("push → new version behind the destination, `mooring deploy`", _spread(pipeline), f"median of {_RUNS}"),
            Row("the same calls by hand, each waited for every 10 ms", _spread(bare), f"median of {_RUNS}, in turns"),
            Row("the pipeline's own share", f"{own:.2f} s", "the difference of the two"),
            Row("of that, the command alone (`mooring --version`)", _spread(command), ""),
        ]

    def _until_answered(self, release: Callable[[], None]) -> float:
        """From the push on; the first answer of the new version ends it."""
        version = self._push()
        began = time.perf_counter()
        release()
        seconds_until(lambda: self._ask() == version)
        return time.perf_counter() - began

    def _push(self) -> str:
        self.number += 1
        self.commit = releases.push(self.repo, f"v{self.number}")
        return f"v{self.number}"

    def _deploy(self, colour: str) -> None:
        releases.deploy(self.repo, self.commit, colour, self.environment)

    def _by_hand(self) -> None:
        before = self._status()["syncFinishedAt"]
        self.client.applications.refresh("team")
        seconds_until(lambda: self._is_synced() and self._status()["syncFinishedAt"] != before)
        (deployment,) = self.client.deployments.list()
        made = self.client.configurations.create(
            "server-blue", "releases", "releases-serve", parameters={"commit": self.commit}
        )
        self.client.deployments.change_configuration(deployment.id, made)
        self.client.deployments.wait(
            deployment.id, configuration_id=made, timeout_seconds=60, poll_seconds=_EVERY_SECONDS
        )
        self.service.set(self.service.get(releases.DESTINATION))

    def _is_synced(self) -> bool:
        return self._status().get("syncStatus") == "Synced"

    def _status(self) -> dict[str, str]:
        return dict(self.http.get("/v2/admin/applications/team/status").json())

    def _ask(self) -> str:
        return self.http.get(f"/destinations/{releases.DESTINATION}/v1/ask").text

    # --- promotions ---

    def promotions(self) -> list[Row]:
        """Between two deployments, forth and back, with eight callers."""
        self._deploy("green")
        blue, green = (self._url(colour) for colour in ("blue", "green"))
        seconds = []
        url = f"{self.mooring.url}/destinations/{releases.DESTINATION}/v1/ask"
        with Prober(url, headers=dict(self.http.headers), clients=8) as traffic:
            for number in range(_PROMOTIONS):
                there = self.service.get(releases.DESTINATION)
                target = (blue, green)[number % 2]
                seconds.append(_timed(partial(self.service.set, {**there, "URL": target})))
                traffic.wait_for(_BETWEEN)
        failed = f"**{traffic.failed} of {traffic.requests:,}**"
        return [
            Row(f"requests failed during {_PROMOTIONS} promotions", failed, "8 callers; aim: 0"),
            Row("a promotion, until it is in use", _spread(seconds), f"median of {_PROMOTIONS}"),
            Row("the slowest request meanwhile", f"{traffic.slowest_seconds * 1000:.0f} ms", ""),
        ]

    def _url(self, colour: str) -> str:
        found = next(each for each in self.client.deployments.list() if each.configuration_name == f"server-{colour}")
        return str(found.deployment_url)

    # --- nothing to do ---

    def unchanged(self) -> list[Row]:
        """Before and after the store is full of what earlier pushes have left."""
        self._deploy("blue")
        empty = [_timed(self._plan) for _ in range(_RUNS)]
        database = Database(f"sqlite:///{self.mooring.home / 'mooring.db'}")
        like = Configuration(name="server-blue", scenario_id="releases", executable_id="releases-serve")
        fill_with_runs_of_a_pipeline(database, "default", _CONFIGURATIONS, like)
        database.close()
        full = [_timed(self._plan) for _ in range(_RUNS)]
        deploy = [_timed(lambda: self._deploy("blue")) for _ in range(_RUNS)]
        kept = f"{_CONFIGURATIONS:,} configurations of the same name"
        return [
            Row("`mooring plan`, nothing to do, a small store", _spread(empty), f"median of {_RUNS}"),
            Row(f"`mooring plan`, nothing to do, {kept}", _spread(full), f"median of {_RUNS}"),
            Row(f"`mooring deploy`, nothing to do, {kept}", _spread(deploy), "with the refresh of the application"),
        ]

    def _plan(self) -> None:
        planned = releases.plan(self.repo, self.commit, "blue", self.environment)
        assert not json.loads(planned)["changes"]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
