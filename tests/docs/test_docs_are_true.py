"""What the documentation says is what the code does."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mooring.templates.fields import Fields, ListOf, Rule
from mooring.templates.serving_template import BODY
from mooring.templates.workflow_fields import SPEC, STEP
from scripts.reference import commands_reference, settings_reference, templates_reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize(
    ("file", "made"),
    [("settings.md", settings_reference), ("commands.md", commands_reference), ("templates.md", templates_reference)],
    ids=["settings", "commands", "templates"],
)
def test_references_are_those_of_the_code(file: str, made: Callable[[], str]) -> None:
    assert (DOCS / file).read_text() == made(), "run `make docs`"


def _names(rule: Rule) -> set[str]:
    match rule:
        case ListOf(item):
            return _names(item)
        case Fields(known, refused, without_effect):
            return {*known, *refused, *without_effect}.union(*(_names(inner) for inner in known.values()))
    return set()


def test_every_field_of_a_template_has_its_row() -> None:
    told = set(re.findall(r"`(\w+)(?:\[\])?`", (DOCS / "templates.md").read_text().partition("## ServingTemplate")[2]))
    assert _names(BODY) | _names(SPEC) | _names(STEP) <= told


def test_the_architecture_names_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "src/mooring").glob("*/__init__.py")}
    named = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE))
    assert rooms == named


def test_every_direct_dependency_has_its_line() -> None:
    declared = re.findall(
        r'^    "([a-z0-9-]+)(?:\[[a-z]+\])?(?:[>=]|",)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    explained = (DOCS / "dependencies.md").read_text()
    missing = [name for name in declared if not re.search(rf"[| ]{re.escape(name)}[ ,|]", explained)]
    assert declared
    assert missing == []


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_only_commands_that_exist() -> None:
    commands = set(re.findall(r"^## mooring (\w+)", commands_reference(), re.MULTILINE))
    used = set(re.findall(r"\.venv/bin/mooring (\w+)", (ROOT / "README.md").read_text()))
    assert used
    assert used <= commands


def test_no_file_is_too_long() -> None:
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py")]
    assert [f"{f.name}: {n}" for f in files if (n := len(f.read_text().splitlines())) > 500] == []


def test_every_option_of_the_model_server_is_explained() -> None:
    (options,) = re.findall(r"^## mooring serve$(.*?)^## ", commands_reference(), re.MULTILINE | re.DOTALL)
    names = set(re.findall(r"^\| `(--[a-z-]+)", options, re.MULTILINE))
    explained = set(re.findall(r"--[a-z-]+[a-z]", (DOCS / "serving.md").read_text()))
    assert len(names) > 15
    assert names <= explained
