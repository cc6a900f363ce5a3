"""A JSON document in which every value knows its line."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mooring.pipeline.refused import Problem, Refused

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_DEEPEST = 32

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A value and the line that it begins in."""

    line: int
    value: "Scalar | Sequence[Node] | Mapping[str, Node]"

    def plain(self) -> Any:
        """Without lines."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
        return self.value

    def child(self, key: str | int) -> "Node | None":
        found: Node | None = None
        match self.value:
            case dict() if isinstance(key, str):
                found = self.value.get(key)
            case list() if isinstance(key, int) and key < len(self.value):
                found = self.value[key]
        return found

    def line_of(self, path: Sequence[str | int]) -> int:
        """Of the value at the end of this path, or of the last one on the way that is there."""
        node = self
        for key in path:
            below = node.child(key)
            if below is None:
                break
            node = below
        return node.line


def parse(text: str) -> Node:
    """Raises Refused for what is no JSON, names a key twice, or is nested too deep."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Refused([Problem(f"no JSON: {error.msg} (column {error.colno})", error.lineno)]) from error
    except (RecursionError, ValueError) as error:
        raise Refused(f"no JSON: {error}") from error
    return _Reader(text).value(0)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class _Reader:
    """Of a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)

    def value(self, depth: int) -> Node:
        return self._of(next(self._tokens), depth)

    def _of(self, token: tuple[str, int], depth: int) -> Node:
        text, line = token
        if depth > _DEEPEST:
            raise Refused([Problem(f"nested deeper than {_DEEPEST} levels", line)])
        match text:
            case "{":
                return Node(line, self._members(depth))
            case "[":
                return Node(line, self._elements(depth))
        return Node(line, json.loads(text))

    def _members(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for text, line in self._tokens:
            if text == "}":
                break
            if text == ",":
                continue
            key = json.loads(text)
            if key in found:
                raise Refused([Problem("the key stands here a second time", line, key)])
            next(self._tokens)  # the colon
            found[key] = self.value(depth + 1)
        return found

    def _elements(self, depth: int) -> list[Node]:
        found: list[Node] = []
        for token in self._tokens:
            if token[0] == "]":
                break
            if token[0] != ",":
                found.append(self._of(token, depth + 1))
        return found


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        yield match.group(), line
