"""Push → executable visible, and the sync of a repository with 200 templates, with real git over http."""

import hashlib
import hmac
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.system import MeasuredInstallation, installation, seconds_until
from bench.tables import Row, print_table
from tests.git_server import GitServer, Repo, serving
from tests.templates.samples import SERVING, WORKFLOW

_RUNS = 10
_MANY = 200
_BETWEEN_PUSHES_SECONDS = 2.5
"""Pushes that follow each other within two seconds are synced together, which is not what is measured."""


def main() -> None:
    """Everything in one installation, next to a git server on the same machine."""
    os.environ["MOORING_GIT_HOSTS"] = json.dumps(["127.0.0.1"])
    with (
        tempfile.TemporaryDirectory(prefix="mooring-bench-git-") as folder,
        serving(Path(folder)) as server,
        installation() as mooring,
    ):
        bench = _Bench(mooring)
        print_table("Git: from a push to an executable", *bench.pushes(server))
        print_table("Git: 200 templates", *bench.many(server))


class _Bench:
    def __init__(self, mooring: MeasuredInstallation) -> None:
        self._mooring = mooring
        self._http = httpx.Client(
            base_url=mooring.url, headers={**mooring.headers(), "AI-Resource-Group": "default"}, timeout=60
        )

    def pushes(self, server: GitServer) -> list[Row]:
        """A template that was not there before, seen in the API."""
        repo = server.new("pushed")
        repo.commit({"templates/serve.yaml": SERVING})
        self._apply(repo, "pushed")
        return [
            Row("push → executable visible, with a webhook", self._spread(repo, self._tell), f"median of {_RUNS}"),
            Row("push → executable visible, with a refresh", self._spread(repo, self._refresh), f"median of {_RUNS}"),
            Row("the same, only git: fetch of what is new", _fetches(repo), "a bare `git fetch --depth=1`, median"),
        ]

    def many(self, server: GitServer) -> list[Row]:
        """100 of each kind in one folder."""
        repo = server.new("many")
        half = range(_MANY // 2)
        repo.commit({f"templates/s{n}.yaml": SERVING.replace("greeter", f"many-serve-{n}") for n in half})
        repo.commit({f"templates/t{n}.yaml": WORKFLOW.replace("trainer", f"many-train-{n}") for n in half})
        first = self._apply(repo, "many")
        unchanged = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            self._refresh(repo, "many")
            self._until_synced("many")
            unchanged.append(time.perf_counter() - began)
        return [
            Row(f"first sync of {_MANY} templates", f"{first:.2f} s", "from POST of the application"),
            Row(f"sync of {_MANY} templates, unchanged", _median(unchanged), f"from the refresh; median of {_RUNS}"),
        ]

    def _apply(self, repo: Repo, name: str) -> float:
        """Seconds until the first sync is done."""
        repository = {"name": name, "url": repo.url, "username": "", "password": ""}
        self._http.post("/v2/admin/repositories", json=repository).raise_for_status()
        application = {"applicationName": name, "repositoryName": name, "revision": "main", "path": "templates"}
        began = time.perf_counter()
        self._http.post("/v2/admin/applications", json=application).raise_for_status()
        self._until_synced(name)
        return time.perf_counter() - began

    def _until_synced(self, name: str) -> None:
        path = f"/v2/admin/applications/{name}/status"
        seconds_until(lambda: self._http.get(path).json().get("syncStatus") == "Synced")

    def _spread(self, repo: Repo, tell: Callable[[Repo, str], None]) -> str:
        seconds = []
        for run in range(_RUNS):
            time.sleep(_BETWEEN_PUSHES_SECONDS)
            name = f"{tell.__name__.strip('_')}-{run}"
            repo.commit({f"templates/{name}.yaml": SERVING.replace("greeter", name)})
            began = time.perf_counter()
            tell(repo, "pushed")
            self._until_visible(name)
            seconds.append(time.perf_counter() - began)
        return _median(seconds)

    def _until_visible(self, executable: str) -> None:
        path = f"/v2/lm/scenarios/greetings/executables/{executable}"
        seconds_until(lambda: self._http.get(path).status_code == httpx.codes.OK)

    def _refresh(self, _repo: Repo, application: str) -> None:
        self._http.post(f"/v2/admin/applications/{application}/refresh").raise_for_status()

    def _tell(self, repo: Repo, _application: str) -> None:
        """As GitHub does."""
        secret = (self._mooring.home / "keys" / "git-webhook.secret").read_text().strip()
        body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": repo.url}}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "push"}
        httpx.post(f"{self._mooring.url}/webhooks/git", content=body, headers=headers).raise_for_status()


def _fetches(repo: Repo) -> str:
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        mirror = Repo(Path(folder), "")
        mirror.git("init", "--quiet", "--bare", ".")
        for run in range(_RUNS):
            repo.commit({f"templates/fetched-{run}.txt": "x"})
            began = time.perf_counter()
            mirror.git("fetch", "--quiet", "--depth=1", repo.url, "+main:refs/heads/main")
            seconds.append(time.perf_counter() - began)
    return _median(seconds)


def _median(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
