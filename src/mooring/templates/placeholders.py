"""`{{inputs.parameters.x}}`: where values are put into a template.

A value is put into the scalar that holds the placeholder, after the document was read: no value can end a quoted text,
begin a line, or become a field. (SAP's renderer replaces text first and reads it then. Documents that are written for
that work here too, except for those that want a value to become structure.)
"""

import re
from collections.abc import Callable, Iterator

from mooring.templates.trees import Scalar, Tree

Resolve = Callable[[str], str]
"""From what stands between the braces to its value. Raises whatever fits where it is used."""

PATTERN = re.compile(r"\{\{\s*([A-Za-z_][\w.\-]*(?:\[[^\[\]{}\n]{1,100}\][\w.\-]*)*)\s*\}\}")
"""Other uses of double braces (JSON in an argument, say) are no placeholders and stay as they are."""


def names_in(tree: Tree) -> Iterator[str]:
    """What all placeholders of a tree name, in the order of the document."""
    match tree:
        case Scalar(text):
            yield from (match[1] for match in PATTERN.finditer(text))
        case list():
            for item in tree:
                yield from names_in(item)
        case dict():
            for key, item in tree.items():
                yield from (match[1] for match in PATTERN.finditer(key))
                yield from names_in(item)


def fill(tree: Tree, resolve: Resolve) -> Tree:
    """The tree with values for its placeholders. Keys are not filled: they are structure."""
    match tree:
        case Scalar(text, plain):
            return Scalar(fill_text(text, resolve), plain)
        case list():
            return [fill(item, resolve) for item in tree]
        case dict():
            return {key: fill(item, resolve) for key, item in tree.items()}


def fill_text(text: str, resolve: Resolve) -> str:
    """One text with values; what a value holds is not looked at again."""
    return PATTERN.sub(lambda match: resolve(match[1]), text)
