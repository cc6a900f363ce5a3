"""`when`: whether a step runs.

The text is read before values are put into its placeholders: a value is an operand and cannot become an operator.
Two operands that are numbers are compared as numbers (unless both stand in quotes), all others as texts.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from mooring.templates.container_values import shown
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import PATTERN, Resolve, fill_text
from mooring.templates.trees import plain_value

_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<operator>==|!=|<=|>=|&&|\|\||<(?!<)|>(?!>)|!|\(|\))
      | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
      | (?P<word>(?:{PATTERN.pattern}|[^\s()'"=!<>&|{{}},])+)
    )\s*""",
    re.VERBOSE,
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LONGEST = 4096
_DEEPEST = 20
_OFFERED = "==, !=, <, <=, >, >=, &&, || and ! between words, numbers and quoted texts"


@dataclass(frozen=True)
class Operand:
    """A word or a quoted text, with its placeholders."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Comparison:
    """Two operands and what stands between them."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True)
class Not:
    """The opposite."""

    inner: "Condition"


@dataclass(frozen=True)
class Joined:
    """Conditions that all have to hold (`&&`), or one of them (`||`)."""

    operator: str
    parts: tuple["Condition", ...]


Condition: TypeAlias = Operand | Comparison | Not | Joined


@lru_cache(maxsize=1024)
def read_condition(text: str) -> Condition:
    """Raises TemplateError without a path for what cannot be read."""
    if len(text) > _LONGEST:
        raise TemplateError("", f"is longer than {_LONGEST} characters")
    reader = _Reader(list(_tokens(text)), text)
    condition = reader.either(0)
    reader.expect_end()
    return condition


def holds(condition: Condition, resolve: Resolve) -> bool:
    """Raises TemplateError when a value alone is neither true nor false, and whatever `resolve` raises."""
    match condition:
        case Operand():
            return _truth(fill_text(condition.text, resolve))
        case Comparison(left, sign, right):
            return _compare(left, sign, right, resolve)
        case Not(inner):
            return not holds(inner, resolve)
        case Joined("&&", parts):
            return all(holds(part, resolve) for part in parts)
        case Joined(_, parts):
            return any(holds(part, resolve) for part in parts)


def _truth(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise TemplateError("", f"comes to {shown(value)}, which is neither true nor false: compare it with something")
    return value.lower() == "true"


def _compare(left: Operand, sign: str, right: Operand, resolve: Resolve) -> bool:
    texts = fill_text(left.text, resolve), fill_text(right.text, resolve)
    if not (left.quoted and right.quoted):
        numbers = [plain_value(each.strip()) for each in texts]
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
            return _COMPARISONS[sign](*numbers)
    return _COMPARISONS[sign](*texts)


def _tokens(text: str) -> Iterator[tuple[str, Operand | None]]:
    """Operators, each without an operand, and operands."""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise TemplateError("", f"cannot be read at {shown(text[position:])}: it may use {_OFFERED}")
        position = match.end()
        if match["operator"]:
            yield match["operator"], None
            continue
        quoted = match["word"] is None
        word = match["word"] or match["double"] or match["single"] or ""
        yield "", Operand(word, quoted)


class _Reader:
    """Reads tokens from left to right; `||` binds weaker than `&&`, which binds weaker than comparisons."""

    def __init__(self, tokens: list[tuple[str, Operand | None]], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._next = 0

    def either(self, depth: int) -> Condition:
        return self._joined("||", self._all, depth)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._error()

    def _all(self, depth: int) -> Condition:
        return self._joined("&&", self._one, depth)

    def _joined(self, sign: str, read: Callable[[int], Condition], depth: int) -> Condition:
        parts = [read(depth)]
        while self._takes(sign):
            parts.append(read(depth))
        return parts[0] if len(parts) == 1 else Joined(sign, tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise TemplateError("", f"is nested more than {_DEEPEST} deep")
        if self._takes("!"):
            return Not(self._one(depth + 1))
        if self._takes("("):
            inner = self.either(depth + 1)
            if not self._takes(")"):
                raise self._error()
            return inner
        left = self._operand()
        for sign in _COMPARISONS:
            if self._takes(sign):
                return Comparison(left, sign, self._operand())
        return left

    def _takes(self, sign: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next][0] == sign
        self._next += found
        return found

    def _operand(self) -> Operand:
        operand = self._tokens[self._next][1] if self._next < len(self._tokens) else None
        if operand is None:
            raise self._error()
        self._next += 1
        return operand

    def _error(self) -> TemplateError:
        return TemplateError("", f"is {shown(self._text)}, which cannot be read: it may use {_OFFERED}")
