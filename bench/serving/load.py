"""Requests with known answers: checked first, then sent by `wrk` as fast as they are answered."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import numpy as np

from bench.serving.bodies import Body
from bench.serving.models import Array, Model, questions

_SCRIPT = Path(__file__).with_name("post.lua")
_ANSWER_SECONDS = 60
_TOGETHER = 64
_LARGE_BYTES = 1_000_000
_TOLERANCES = {"float32": 1e-5, "float64": 1e-12, "int64": 0.0}


class WrongAnswer(Exception):
    """What was answered instead, in one line; or that nothing was."""


@dataclass(frozen=True)
class Sent:
    """What one run of `wrk` has seen. Times in milliseconds."""

    per_second: float
    answered: int
    p50: float
    p99: float
    failed: int


class Requests:
    """Some different requests of one number of rows, in the form that one peer wants."""

    def __init__(self, model: Model, rows: int, body: Body, headers: Mapping[str, str], folder: Path) -> None:
        inputs, answers = zip(*questions(model, rows), strict=True)
        self._body = body
        self._answers: tuple[Array, ...] = answers
        self._encoded = [body.encode(each) for each in inputs]
        self._headers = {**body.headers(inputs[0]), **headers}
        self._folder = folder
        folder.mkdir(parents=True)
        for number, encoded in enumerate(self._encoded):
            (folder / str(number)).write_bytes(encoded)

    def check_one(self, url: str) -> None:
        """Raises WrongAnswer, and httpx.TransportError when nobody answers."""
        answer = httpx.post(
            url + self._body.path, content=self._encoded[0], headers=self._headers, timeout=_ANSWER_SECONDS
        )
        self._compare(0, answer)

    def check(self, url: str) -> None:
        """All of them, alone and many at once: no answer may be another request's. Raises WrongAnswer."""
        together = 8 if len(self._encoded[0]) > _LARGE_BYTES else _TOGETHER
        for concurrency in (1, together):
            asyncio.run(self._ask(url, concurrency))

    async def _ask(self, url: str, concurrency: int) -> None:
        limits = httpx.Limits(max_connections=concurrency)
        async with httpx.AsyncClient(limits=limits, timeout=_ANSWER_SECONDS, headers=self._headers) as client:

            async def ask(number: int) -> None:
                answer = await client.post(url + self._body.path_for(concurrency), content=self._encoded[number])
                self._compare(number, answer)

            turns = count()
            numbers = [next(turns) % len(self._encoded) for _ in range(max(concurrency, len(self._encoded)))]
            try:
                await asyncio.gather(*map(ask, numbers))
            except httpx.TransportError as error:
                raise WrongAnswer(f"no answer with {concurrency} at once: {error!r}") from error

    def _compare(self, number: int, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            raise WrongAnswer(f"HTTP {answer.status_code}: {' '.join(answer.text.split())[:200]}")
        expected = self._answers[number]
        try:
            got = np.asarray(self._body.decode(answer.content))
        except (ValueError, KeyError, TypeError) as error:
            raise WrongAnswer(f"{error!r} in {answer.text[:200]}") from error
        if not _same(got, expected):
            raise WrongAnswer(f"{got.ravel()[:3]!s} instead of {expected.ravel()[:3]!s}")

    def send(self, url: str, connections: int, seconds: int) -> Sent:
        """From one thread, each connection one request at a time. Raises WrongAnswer when nobody is there."""
        told = {
            "BENCH_BODIES": str(self._folder),
            "BENCH_BODIES_COUNT": str(len(self._encoded)),
            "BENCH_PATH": self._body.path_for(connections),
            "BENCH_HEADERS": "\n".join(f"{name}: {value}" for name, value in self._headers.items()),
        }
        how = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{_ANSWER_SECONDS}s", "-s", str(_SCRIPT)]
        command = ["wrk", *how, url]
        deadline, environment = seconds + _ANSWER_SECONDS, {**os.environ, **told}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=deadline, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise WrongAnswer(f"wrk has not ended within {deadline} s") from error
        found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
        if not found:
            said = " ".join(f"{done.stdout} {done.stderr}".split())
            raise WrongAnswer(f"wrk has found nobody: {said[-200:]}")
        return _sent(json.loads(found[1]))


def _sent(report: Mapping[str, float]) -> Sent:
    return Sent(
        per_second=report["answered"] / report["microseconds"] * 1e6,
        answered=int(report["answered"]),
        p50=report["p50"] / 1000,
        p99=report["p99"] / 1000,
        failed=int(report["failed"]),
    )


def _same(got: Array, expected: Array) -> bool:
    if got.size != expected.size or got.dtype.kind not in "iuf":
        return False
    tolerance = _TOLERANCES[str(expected.dtype)]
    return bool(np.allclose(got.ravel(), expected.ravel(), rtol=tolerance, atol=tolerance))
