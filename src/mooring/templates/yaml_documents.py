"""From YAML text to trees, within limits: nothing in a file can make us build objects, or more than fits.

Placeholders may stand where YAML would not take them (`minReplicas: {{inputs.parameters.min}}`), so they are replaced
by words before the text is read, and put back into the scalars afterwards.
"""

import secrets
from collections.abc import Iterator

import yaml

from mooring.templates.budgets import Budget
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import PATTERN
from mooring.templates.trees import Scalar, Tree, plain_value

_MOST_BYTES = 1024 * 1024
_MOST_NODES = 50_000
_DEEPEST = 60
_Loader = yaml.CSafeLoader
_STANDARD = "tag:yaml.org,2002:"
_TAGS = frozenset(
    f"{_STANDARD}{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "value")
)


def read(text: str, *, path: str = "") -> list[Tree]:
    """All documents of a text that are not empty. Raises TemplateError, naming line and column."""
    if len(text.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
        raise TemplateError(path, f"is larger than {_MOST_BYTES // 1024} KiB, which is the most that a template may be")
    words = _Words()
    try:
        plain = words.stand_in(text)
        _refuse_too_deep(plain, path)
        nodes = [node for node in yaml.compose_all(plain, Loader=_Loader) if node is not None]
    except yaml.MarkedYAMLError as error:
        raise TemplateError(path, f"cannot be read as YAML: {_explain(error)}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise TemplateError(path, "cannot be read as YAML") from None
    conversion = _Conversion(path, words)
    trees = [conversion.tree(node, 0) for node in nodes]
    return [tree for tree in trees if not (isinstance(tree, Scalar) and tree.is_null)]


def read_one(text: str, *, path: str) -> Tree:
    """The only document of a text. Raises TemplateError."""
    found = read(text, path=path)
    if len(found) > 1:
        raise TemplateError(path, "holds more than one document")
    return found[0] if found else {}


def embedded(tree: Tree | None, path: str) -> Tree | None:
    """A tree that may be written as a block of text which holds YAML itself. Raises TemplateError."""
    if isinstance(tree, Scalar) and not tree.is_null:
        return read_one(tree.text, path=path)
    return tree


def _refuse_too_deep(text: str, path: str) -> None:
    """Before anything is built: that goes a call of C deeper for each level, and a full stack there is our end."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = f"line {event.start_mark.line + 1} " if event.start_mark else ""
            raise TemplateError(path, f"{line}is too deep: at most {_DEEPEST} values may lie in each other")


class _Words:
    """Words that stand for placeholders while the text is read. They cannot occur in it: they are random."""

    def __init__(self) -> None:
        self._mark = f"placeholder{secrets.token_hex(8)}x"
        self._placeholders: list[str] = []

    def stand_in(self, text: str) -> str:
        return PATTERN.sub(lambda match: self._word(match[1]), text)

    def put_back(self, text: str) -> str:
        if self._mark not in text:
            return text
        first, *others = text.split(self._mark)
        return first + "".join(self._restored(other) for other in others)

    def _word(self, name: str) -> str:
        self._placeholders.append(name)
        return f"{self._mark}{len(self._placeholders) - 1}x"

    def _restored(self, rest: str) -> str:
        number, _, after = rest.partition("x")
        return "{{" + self._placeholders[int(number)] + "}}" + after


class _Conversion:
    """From YAML's nodes to trees; aliases are expanded, and count each time, as do the characters of their values."""

    def __init__(self, path: str, words: _Words) -> None:
        self._path = path
        self._words = words
        self._nodes = 0
        self._budget = Budget(_MOST_BYTES)

    def tree(self, node: yaml.Node, depth: int) -> Tree:
        self._nodes += 1
        if self._nodes > _MOST_NODES or depth > _DEEPEST:
            raise TemplateError(
                self._path,
                f"is too large: at most {_MOST_NODES} values are allowed (aliases count each time), {_DEEPEST} deep",
            )
        if node.tag not in _TAGS:
            raise self._error(node, f"has the tag {node.tag[:80]!r}; only plain values, lists and mappings are allowed")
        match node:
            case yaml.ScalarNode():
                return self._scalar(node)
            case yaml.SequenceNode():
                return [self.tree(item, depth + 1) for item in node.value]
            case yaml.MappingNode():
                return dict(self._items(node, depth))
        raise self._error(node, "is of an unknown kind")

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        # A number that was written with `!!str` before it is text.
        made_text = node.tag == f"{_STANDARD}str" and not isinstance(plain_value(node.value), str)
        return Scalar(self._text(node), plain=not node.style and not made_text)

    def _text(self, node: yaml.ScalarNode) -> str:
        if "\0" in node.value:
            raise self._error(node, "holds a zero byte, which no program and not every database takes")
        try:
            return self._budget.take(self._words.put_back(node.value))
        except TemplateError:
            problem = f"brings it to more than {_MOST_BYTES} characters: aliases count each time"
            raise self._error(node, problem) from None

    def _items(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, Tree]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "is a key that is no single value")
            key = self._text(key_node)
            if key in seen:
                raise self._error(key_node, f"is the second {key[:80]!r} in its mapping")
            if key_node.tag == f"{_STANDARD}merge":
                raise self._error(key_node, "is a merge key (<<), which is not supported: write the fields out")
            seen.add(key)
            yield key, self.tree(value_node, depth + 1)

    def _error(self, node: yaml.Node, problem: str) -> TemplateError:
        mark = node.start_mark
        return TemplateError(self._path, f"line {mark.line + 1}, column {mark.column + 1} {problem}")


def _explain(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{error.problem or error.context or 'syntax error'}"
