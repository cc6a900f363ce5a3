"""From a push to the moved destination, twenty times and in every way, with callers who notice nothing."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from mooring.client.destinations import DestinationClient
from tests.git_server import Repo
from tests.prober import Prober
from tests.system import releases
from tests.system.releases import DESTINATION
from tests.system.running_mooring import RunningMooring
from tests.system.team import Team

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
MOVES = 20
REQUESTS_BETWEEN = 40


@dataclass
class MayAnswer:
    """Which versions may answer, and since when: a request may get any of those from its beginning to its end."""

    history: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    began: threading.local = field(default_factory=threading.local)
    answers: dict[str, int] = field(default_factory=dict)

    def now(self, *versions: str) -> None:
        self.history.append((time.monotonic(), frozenset(versions)))

    def begin(self, headers: dict[str, str]) -> dict[str, str]:
        """Called by the prober right before each request."""
        self.began.at = time.monotonic()
        return headers

    def check(self, response: httpx.Response) -> bool:
        since = [when for when, _ in self.history if when <= self.began.at][-1]
        allowed = frozenset().union(*(versions for when, versions in self.history if when >= since))
        self.answers[response.text] = self.answers.get(response.text, 0) + 1
        return response.status_code == 200 and response.text in allowed


@dataclass
class Story:
    """`here` answers at the destination, `there` at the other deployment (blue or green)."""

    mooring: RunningMooring
    repo: Repo
    service: DestinationClient
    environment: dict[str, str]
    may_answer: MayAnswer = field(default_factory=MayAnswer)
    moves: int = 0
    here: str = "v1"
    there: str = ""

    def release(self, version: str, colour: str) -> None:
        """A push and its pipeline; a colour that serves already is changed under its URL."""
        commit = releases.push(self.repo, version)
        releases.deploy(self.repo, commit, colour, self.environment)

    def url(self) -> str:
        return f"{self.mooring.url}/destinations/{DESTINATION}/v1/ask"

    @contextmanager
    def moving(self, *new: str) -> Iterator[None]:
        """While something is moved, what was before may answer, and what is to be; afterwards only that."""
        self.may_answer.now(*self.may_answer.history[-1][1], *new)
        yield
        self.may_answer.now(*new)
        self.moves += 1

    def to_canary_and_back(self, target: str, traffic: Prober) -> None:
        """A canary, its end, a move back, a move forward again: four moves."""
        there = self.service.get(DESTINATION)
        canary = {"mooring.canary.URL": target, "mooring.canary.percent": "50"}
        with self.moving(self.here, self.there):
            self.service.set({**there, **canary})
        traffic.wait_for(REQUESTS_BETWEEN)
        with self.moving(self.here):
            assert self.service.roll_back(DESTINATION).undone == "canary"
        traffic.wait_for(REQUESTS_BETWEEN)
        for now in (self.there, self.here):
            with self.moving(now):
                assert self.service.roll_back(DESTINATION).undone == "move"
            traffic.wait_for(REQUESTS_BETWEEN)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    settings = releases.settings(folder / "src")
    with releases.git_server(folder / "git") as repo, RunningMooring(folder / "home", settings) as mooring:
        Team(mooring, repo).onboard()
        environment = releases.credentials(mooring.run("env").stdout)
        with DestinationClient.from_env(environment) as service:
            yield Story(mooring, repo, service, environment)


def test_callers_notice_nothing_and_hear_only_what_may_answer(story: Story) -> None:
    story.release("v1", "blue")
    story.may_answer.now("v1")
    token = story.mooring.headers()
    with Prober(
        story.url(), headers=lambda: story.may_answer.begin(token), clients=4, check=story.may_answer.check
    ) as traffic:
        before = story.service.get(DESTINATION)["URL"]
        # Each other version is a new deployment first, and then a change of that which nobody calls.
        for number, colour in enumerate(("green", "blue", "green", "blue"), start=2):
            version = f"v{number}"
            with story.moving(version):
                story.release(version, colour)
            assert httpx.get(story.url(), headers=token).text == version, "in use when the pipeline has ended"
            story.here, story.there = version, story.here
            traffic.wait_for(REQUESTS_BETWEEN)
            story.to_canary_and_back(before, traffic)
            before = story.service.get(DESTINATION)["URL"]
        with story.moving("v6"):  # a change of what is called
            story.release("v6", "blue")
        traffic.wait_for(REQUESTS_BETWEEN)
    assert story.moves >= MOVES
    assert traffic.failed == 0, str(traffic)
    assert set(story.may_answer.answers) == {f"v{number}" for number in range(1, 7)}
    assert traffic.requests > MOVES * REQUESTS_BETWEEN
