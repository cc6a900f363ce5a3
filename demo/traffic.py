"""Clients that keep asking while something happens."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

_PAUSE_AFTER_FAILURE_SECONDS = 0.05


@dataclass
class Tally:
    """What the clients have seen so far."""

    answered_by: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(self.answered_by.values()) + len(self.failures)


class Traffic:
    """`clients` threads that predict one row after the other, each answer compared with the versions' own."""

    def __init__(
        self, url: str, token: str, rows: Sequence[Mapping[Any, Any]], answers: dict[str, list[float]], clients: int
    ):
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._rows = rows
        self._answers = answers
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.tally = Tally()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(clients)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=70)

    def wait_for(self, version: str, *, requests: int, timeout_seconds: float) -> None:
        """Until this many more requests have been answered by a version. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_seconds
        goal = self.tally.answered_by[version] + requests
        while self.tally.answered_by[version] < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(f"version {version} has not answered within {timeout_seconds:g} s")
            time.sleep(0.02)

    def _ask(self, start: int) -> None:
        with httpx.Client(headers=self._headers, timeout=60, trust_env=False) as client:
            for index in itertools.islice(itertools.cycle(range(len(self._rows))), start, None):
                if self._stop.is_set():
                    return
                self._count(index, self._one(client, index))

    def _one(self, client: httpx.Client, index: int) -> str:
        try:
            response = client.post(self._url, json={"dataframe_records": [self._rows[index]]})
            response.raise_for_status()
            prediction = response.json()["predictions"][0]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self._stop.wait(_PAUSE_AFTER_FAILURE_SECONDS)
            return f"{type(error).__name__}: {error}"
        matching = [v for v, answers in self._answers.items() if abs(answers[index] - prediction) < 1e-6]
        return matching[0] if matching else f"wrong answer {prediction!r} for row {index}"

    def _count(self, index: int, outcome: str) -> None:
        with self._lock:
            if outcome in self._answers:
                self.tally.answered_by[outcome] += 1
            else:
                self.tally.failures.append(f"row {index}: {outcome}")
