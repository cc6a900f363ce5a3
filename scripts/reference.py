"""Makes the references in `docs/` from the code: settings, commands, fields of templates.

A test fails when they are not up to date.
"""

from collections.abc import Iterator
from pathlib import Path

import typer.main

from mooring.cli.main import app
from mooring.settings import Settings
from scripts.template_fields import field_tables

DOCS = Path(__file__).parent.parent / "docs"
_MADE = "<!-- From here on made from src/mooring/templates/ by `make docs`. -->\n"


def settings_reference() -> str:
    """Every setting with its variable, default and comment."""
    lines = [
        "# Settings",
        "",
        "Made from `src/mooring/settings.py` by `make docs`. Options of `mooring up` win over the environment.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "`~/.mooring`" if name == "home" else f"`{field.default}`"
        lines.append(f"| `MOORING_{name.upper()}` | {default} | {' '.join((field.description or '').split())} |")
    return "\n".join(lines) + "\n"


def commands_reference() -> str:
    """Every command with its help."""
    lines = ["# Commands", "", "Made from `src/mooring/cli/` by `make docs`."]
    for name, command in _commands("mooring", typer.main.get_command(app)):
        lines += ["", f"## {name}", "", _text(str(getattr(command, "help", "") or "")), ""]
        lines += ["| option | meaning |", "|---|---|"]
        for parameter in getattr(command, "params", []):
            spelling = ", ".join(f"`{option}`" for option in getattr(parameter, "opts", []))
            meaning = " ".join(str(getattr(parameter, "help", "") or "").split())
            lines.append(f"| {spelling} | {meaning} |")
    return "\n".join(lines) + "\n"


def templates_reference() -> str:
    """The page about templates: what is written by hand as it is, and the tables of all fields."""
    head, _, _ = (DOCS / "templates.md").read_text().partition(_MADE)
    return head + _MADE + "\n".join(field_tables()) + "\n"


def _commands(name: str, command: object) -> Iterator[tuple[str, object]]:
    """A command with its whole name, or the commands of a group, and of the groups in it."""
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield name, command
    for word in sorted(below):
        yield from _commands(f"{name} {word}", below[word])


def _text(help_text: str) -> str:
    return "\n".join(line.rstrip() for line in help_text.strip().splitlines())


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    (DOCS / "settings.md").write_text(settings_reference())
    (DOCS / "commands.md").write_text(commands_reference())
    (DOCS / "templates.md").write_text(templates_reference())


if __name__ == "__main__":
    main()
