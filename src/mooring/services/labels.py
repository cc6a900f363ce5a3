"""Labels, and the selectors that ask for them: `key=value` and `key!=value`, all of which have to hold."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mooring.errors import InvalidRequest
from mooring.store.tables import Labels

_TERM = re.compile(r"([^ =,!]+)(!?=)([^ =,]+)", re.ASCII)
_LONGEST_TERM = 5000
_MOST_TERMS = 10


@dataclass(frozen=True)
class Selector:
    """One term of a label selector. `equal` is False for `key!=value`, which also holds where the key is missing."""

    key: str
    value: str
    equal: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        return (labels.get(self.key) == self.value) is self.equal


def parse(terms: Sequence[str], *, parameter: str, prefix: str = "") -> list[Selector]:
    """Selectors from `key=value` texts; `{comma}` in a value stands for a comma.

    Raises InvalidRequest, also for a key without the prefix: no label has it, and `!=` would ask for everything.
    """
    if len(terms) > _MOST_TERMS:
        raise InvalidRequest(f"{parameter} has {len(terms)} terms; at most {_MOST_TERMS} are allowed")
    selectors = [_parse_term(term, parameter) for term in terms]
    stranger = next((selector.key for selector in selectors if not selector.key.startswith(prefix)), None)
    if stranger is not None:
        raise InvalidRequest(f"{parameter} asks for the label {stranger[:80]!r}: keys begin with {prefix}")
    return selectors


def hold(selectors: Sequence[Selector], labels: Labels) -> bool:
    """Whether an object with these labels is asked for."""
    values = {label["key"]: label["value"] for label in labels}
    return all(selector.holds(values) for selector in selectors)


def refuse_repeated_keys(labels: Labels) -> None:
    """Raises InvalidRequest when a key occurs twice: only one value of it could be found again."""
    (most_frequent,) = Counter(label["key"] for label in labels).most_common(1) or [("", 0)]
    if most_frequent[1] > 1:
        raise InvalidRequest(f"the label {most_frequent[0]!r} is given more than once: give each key one value")


def _parse_term(term: str, parameter: str) -> Selector:
    match = _TERM.fullmatch(term)
    if not match or len(term) > _LONGEST_TERM:
        raise InvalidRequest(
            f"{parameter} holds {term[:80]!r}: write key=value or key!=value, without blanks, terms joined by commas"
        )
    key, operator, value = match.groups()
    return Selector(key, value.replace("{comma}", ","), operator == "=")
