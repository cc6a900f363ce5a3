"""A quicker way to ask a model is taken only when its answers have been seen to equal pyfunc's."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from mooring.modelserver.errors import describe
from mooring.modelserver.flavours.cutting import length, part
from mooring.modelserver.flavours.equality import ROUNDING, difference
from mooring.modelserver.flavours.predictor import Ask
from mooring.modelserver.rows import Rows

_PROOF_SECONDS = 1.0
"""For all answers of pyfunc together: a slow model is tried with fewer rows, but with two at least."""
_FEWEST_PROBES = 4


@dataclass(frozen=True)
class Answer:
    """What a model said to a probe, or that it refused it."""

    rows: Rows
    value: object
    error: str | None = None


def answers(ask: Ask, probes: Iterable[Rows]) -> list[Answer]:
    """In order, as many as there is time for."""
    found: list[Answer] = []
    deadline = time.monotonic() + _PROOF_SECONDS
    for rows in probes:
        found.append(_answer(ask, rows))
        if time.monotonic() > deadline and len(found) >= _FEWEST_PROBES:
            break
    return found


def disagreement(ask: Ask, known: Iterable[Answer]) -> str | None:
    """Where another way to ask gives other answers; None when it gives the same, refusals included."""
    for expected in known:
        if found := _disagreement(expected, _answer(ask, expected.rows)):
            return f"with {expected.rows.count} rows: {found}"
    return None


def dependence(ask: Ask, known: Iterable[Answer]) -> str | None:
    """Why rows may not be predicted together with others'; None when they may."""
    whole = [answer for answer in known if answer.error is None and answer.rows.count > 1]
    for answer in whole:
        if found := _dependence(ask, answer):
            return f"with {answer.rows.count} rows: {found}"
    return None if whole else "no prediction of several rows has succeeded"


def _dependence(ask: Ask, together: Answer) -> str | None:
    if length(together.value) != together.rows.count:
        return "there is not one answer per row"
    for start, stop in _pieces(together.rows.count):
        alone = _answer(ask, together.rows.part(start, stop))
        if alone.error is not None:
            return f"rows are refused alone: {alone.error}"
        if found := difference(alone.value, part(together.value, start, stop), ROUNDING):
            return f"a row alone is answered otherwise: {found}"
    return None


def _pieces(count: int) -> list[tuple[int, int]]:
    """Each row of a few; of many the first, some more, and the rest."""
    if count <= 8:
        return [(at, at + 1) for at in range(count)]
    return [(0, 1), (1, count // 3), (count // 3, count)]


def _disagreement(expected: Answer, got: Answer) -> str | None:
    if expected.error is not None:
        return None if got.error is not None else f"an answer where predict refuses: {expected.error}"
    if got.error is not None:
        return got.error
    return difference(expected.value, got.value)


def _answer(ask: Ask, rows: Rows) -> Answer:
    try:
        return Answer(rows, ask(rows))
    except Exception as error:  # noqa: BLE001 - a model's library raises what it likes, and that is the answer
        return Answer(rows, None, describe(error)[:200])
