"""`${NAME}` in the values of a file: what the environment has. `$${` is a `${` as it stands."""

import re
from collections.abc import Mapping

from mooring.pipeline.json_tree import Node
from mooring.pipeline.refused import Problem, Refused

_PLACE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def fill(document: Node, env: Mapping[str, str]) -> Node:
    """The document with its variables filled. Raises Refused, naming every one that is not set."""
    problems: list[Problem] = []
    filled = _fill(document, env, "", problems)
    if problems:
        raise Refused(problems)
    return filled


def _fill(node: Node, env: Mapping[str, str], key: str, problems: list[Problem]) -> Node:
    prefix = f"{key}." if key else ""
    match node.value:
        case dict():
            below = {name: _fill(each, env, f"{prefix}{name}", problems) for name, each in node.value.items()}
            return Node(node.line, below)
        case list():
            entries = [_fill(each, env, f"{prefix}{place}", problems) for place, each in enumerate(node.value)]
            return Node(node.line, entries)
        case str():
            return Node(node.line, _filled(node, node.value, env, key, problems))
    return node


def _filled(node: Node, text: str, env: Mapping[str, str], key: str, problems: list[Problem]) -> str:
    def value(match: re.Match[str]) -> str:
        if match.group() == "$${":
            return "${"
        name = match.group(1)
        if not match.group(2) or not _NAME.fullmatch(name):
            told = "`${` needs the name of a variable and a `}` (`$${` stands for itself)"
            problems.append(Problem(told, node.line, key))
        elif name not in env:
            problems.append(Problem(f"the environment variable {name} is not set", node.line, key))
        else:
            return env[name]
        return ""

    return _PLACE.sub(value, text)
