"""Runs the pipeline in this process, against the server in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mooring.client.client import AIClient
from mooring.client.destinations import DestinationClient
from mooring.client.logs import LogLine
from mooring.http_session import Repeats
from mooring.pipeline.apply import Applier
from mooring.pipeline.interrupts import Interrupts
from mooring.pipeline.look import look
from mooring.pipeline.outcome import Outcome, Result, Verdict
from mooring.pipeline.patience import Patience
from mooring.pipeline.plan import plan
from mooring.pipeline.watch import Watcher
from tests.pipeline.project_files import document, project
from tests.pipeline.project_server import ProjectServer

QUICK = Repeats(count=2, first_seconds=0.01, longest_seconds=0.05)


@dataclass
class Heard:
    """All that a listener is told."""

    done: list[str] = field(default_factory=list)
    statuses: list[tuple[str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def did(self, text: str) -> None:
        self.done.append(text)

    def moved(self, name: str, status: str, message: str) -> None:
        self.statuses.append((name, status))
        self.messages.append(message)

    def logged(self, name: str, line: LogLine) -> None:
        self.lines.append((name, line.msg))

    def trouble(self, text: str) -> None:
        self.troubles.append(text)


@dataclass
class Pipeline:
    """Of one server and one folder. It is patient for `away_seconds`, and calls `url` if one is given."""

    api: ProjectServer
    folder: Path
    heard: Heard = field(default_factory=Heard)
    away_seconds: float = 20.0
    interrupts: Interrupts = field(default_factory=Interrupts)
    url: str = ""

    def client(self) -> AIClient:
        url = self.url or self.api.url
        key = (self.api.client_id, self.api.client_secret)
        return AIClient(f"{url}/v2", f"{url}/oauth/token", *key, repeats=QUICK, transport=_plain())

    def service(self) -> DestinationClient:
        url, key = self.url or self.api.url, (self.api.client_id, self.api.client_secret)
        return DestinationClient(url, url, *key, repeats=QUICK, transport=_plain())

    def deploy(self, content: dict[str, Any] | None = None, *, seconds: float = 20) -> Result:
        """Raises ApiError as long as nothing is planned."""
        wanted = project(self.folder, content or document())
        patience = Patience(
            away_seconds=self.away_seconds,
            first_seconds=0.02,
            slowest_seconds=0.1,
            lost_seconds=0.1,
            sleep=self.interrupts.sleep,
            tell=self.heard.trouble,
        )
        with (
            self.client() as client,
            self.service() as service,
        ):
            applier = Applier(
                client,
                service,
                self.heard,
                Watcher(client, self.heard, poll_seconds=0.01, slowest_seconds=0.05),
                mark=wanted.wanted.mark,
                timeout_seconds=seconds,
                patience=patience,
                interrupts=self.interrupts,
            )
            return applier.apply(plan(wanted, patience.through(lambda: look(wanted.wanted, client, service))))


def _plain() -> httpx.HTTPTransport:
    """Reading the certificates of this machine takes as long as all the rest."""
    return httpx.HTTPTransport(verify=False)  # nothing here speaks TLS


def verdicts(result: Result) -> dict[str, Verdict]:
    return {each.name: each.verdict for each in result.outcomes}


def server(result: Result) -> Outcome:
    return next(each for each in result.outcomes if each.name == "server")


def with_destination(greeting: str = "hi", **more: Any) -> dict[str, Any]:
    content = document(greeting=greeting, **more)
    content["deployments"][0]["destination_name"] = "CHURN"
    return content
