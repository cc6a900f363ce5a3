"""Whatever a parameter's value holds, it stays a value."""

import pytest

from mooring.templates.placeholders import fill
from mooring.templates.trees import Tree, to_values
from tests.templates.samples import SERVING, only

HOSTILE = [
    "x\nprivileged: true",
    "x\n        securityContext: {privileged: true}",
    '"}, {"name": "EVIL", "value": "1',
    "'",
    '"',
    "{{inputs.parameters.greeting}}",
    "{{workflow.name}}",
    "$(rm -rf /)",
    "`id`",
    "- a\n- b",
    "{a: b}",
    "[1, 2]",
    "!!python/object/apply:os.system [id]",
    "&a *a",
    "# comment",
    "x: y",
    "---",
    "\x00",
    "\u2028",
    "é😀",
    "",
    " ",
    "null",
    "true",
    "5",
    "a" * 5000,
]


def _shape(tree: object) -> object:
    match tree:
        case dict():
            return {key: _shape(value) for key, value in tree.items()}
        case list():
            return [_shape(value) for value in tree]
        case _:
            return "value"


def _filled(values: dict[str, str]) -> Tree:
    return fill(dict(only(SERVING).body), lambda name: values.get(name.rpartition(".")[2], "plain"))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_changes_one_scalar_and_nothing_else(value: str) -> None:
    filled = to_values(_filled({"greeting": value, "who-is-it": "you"}))
    assert _shape(filled) == _shape(to_values(_filled({})))
    environment = {item["name"]: item["value"] for item in filled["spec"]["predictor"]["containers"][0]["env"]}
    assert environment["GREETING"] == f"{value}, you"


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("3", 3),
        ("0", 0),
        ("true", True),
        ("3.5", 3.5),
        ("three", "three"),
        ("3 # x", "3 # x"),
        ("[3]", "[3]"),
        ("", None),
    ],
)
def test_a_value_without_quotes_is_a_number_or_a_word(value: str, meaning: object) -> None:
    filled = to_values(_filled({"replicas": value}))
    assert filled["spec"]["predictor"]["minReplicas"] == meaning
