"""What people, scripts and GitHub Actions see of a pipeline.

Standard output has the plan or the summary (or JSON), standard error has what happens meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mooring.client.logs import LogLine
from mooring.pipeline import words
from mooring.pipeline.outcome import Result, Verdict
from mooring.pipeline.project import Project
from mooring.pipeline.refused import Refused
from mooring.pipeline.steps import Plan

_COLOURS = ("cyan", "magenta", "yellow", "blue", "green", "bright_red")
_SIGNS = {
    "create": ("+", "green"),
    "change": ("~", "yellow"),
    "set": ("~", "yellow"),
    "stop": ("-", "red"),
    "delete": ("-", "red"),
}
_VERDICTS = {Verdict.REACHED: "green", Verdict.FAILED: "red", Verdict.TIMED_OUT: "red", Verdict.LEFT: "yellow"}
_PLATFORM = "time="
_WIDE = 400


class PipelineConsole:
    """Is told what happens (a `Listener`), and shows plan and result at the end."""

    def __init__(self, *, as_json: bool, platform_logs: bool, env: Mapping[str, str], out: TextIO) -> None:
        self._as_json = as_json
        self._platform_logs = platform_logs
        self._on_github = env.get("GITHUB_ACTIONS") == "true"
        self._summary_file = env.get("GITHUB_STEP_SUMMARY") or None
        self._out = _wide(Console(file=out))
        self._err = _wide(Console(stderr=True))
        self._colours: dict[str, str] = {}
        self._states: dict[str, str] = {}
        self._status = self._err.status("")

    # --- while it runs ---

    @contextmanager
    def live(self) -> Iterator[None]:
        """With a line at the bottom of a terminal that tells what is waited for."""
        with self._status:
            yield

    def did(self, text: str) -> None:
        self._err.print(Text.assemble(("✓ ", "green"), text))

    def moved(self, name: str, status: str, message: str) -> None:
        self._states[name] = status
        self._err.print(self._prefixed(name, f"{status}{f': {message}' if message else ''}", style="bold"))
        self._status.update(", ".join(f"{each} {state}" for each, state in self._states.items()))

    def logged(self, name: str, line: LogLine) -> None:
        for text in line.msg.rstrip("\n").splitlines():
            if self._platform_logs or not text.startswith(_PLATFORM):
                # With its prefix, no line of a log can be a command to GitHub.
                self._err.print(self._prefixed(name, text), soft_wrap=True)

    def trouble(self, text: str) -> None:
        self._err.print(Text.assemble(("! ", "yellow"), text))

    def _prefixed(self, name: str, text: str, style: str = "") -> Text:
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return Text.assemble((f"{name} | ", colour), (_printable(text), style))

    # --- at the end ---

    def tell_plan(self, plan: Plan) -> None:
        """On standard error, before it is carried out."""
        for warning in plan.warnings:
            self._warn(warning)
        self._print_plan(self._err, plan)

    def show_plan(self, plan: Plan, stage: str | None) -> None:
        for warning in plan.warnings:
            self._warn(warning)
        if self._as_json:
            self._print_json(words.plan_document(plan, stage))
        else:
            self._print_plan(self._out, plan)
        self._summarise(words.plan_page(plan, stage))

    def show_result(self, result: Result, project: Project) -> None:
        if self._as_json:
            self._print_json(words.result_document(result, project.stage))
        else:
            self._print_result(result)
        for error in result.errors:
            self.show_failure(error, project.file)
        for each in result.outcomes:
            if each.verdict in (Verdict.FAILED, Verdict.TIMED_OUT):
                told = f"{each.kind} {each.name} {each.verdict.value}: {each.message or each.status}"
                self.show_failure(told, project.file, _line(project, each.kind, each.name))
        if result.broken_off:
            left = [f"{each.kind} {each.name} ({each.id})" for each in result.outcomes if each.verdict is Verdict.LEFT]
            told = f"on its way on the server: {', '.join(left)}. " if left else "nothing is on its way. "
            self.show_failure(f"broken off; {told}Running it again goes on from here")
        self._summarise(words.result_page(result, project.stage))

    def show_refusal(self, refused: Refused) -> None:
        if self._as_json:
            problems = [
                {"line": each.line or None, "key": each.key, "message": each.message} for each in refused.problems
            ]
            self._print_json({"exitCode": 3, "file": refused.file or None, "problems": problems})
        for each in refused.problems:
            start = f"{refused.file}: " if refused.file else ""
            self._err.print(Text(f"mooring: {start}{each}", style="red"), soft_wrap=True)
            self._annotate(
                "error", f"{each.key}: {each.message}" if each.key else each.message, refused.file, each.line
            )

    def show_failure(self, text: str, file: str = "", line: int = 0) -> None:
        self._err.print(Text(f"mooring: {_printable(text)}", style="red"), soft_wrap=True)
        self._annotate("error", text, file, line)

    # --- how ---

    def _print_plan(self, console: Console, plan: Plan) -> None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for verb, kind, name, why in words.lines(plan):
            sign, colour = _SIGNS.get(verb, ("=", "dim"))
            table.add_row(Text(f"{sign} {verb}", style=colour), kind, Text(name), Text(why, style="dim"))
        console.print(table)
        if not plan.changes:
            console.print(Text("Nothing to do."))

    def _print_result(self, result: Result) -> None:
        table = Table(box=None, pad_edge=False)
        for column in ("RESULT", "WHAT", "NAME", "ID", "STATUS", "SECONDS", "URL OR MESSAGE"):
            table.add_column(column, overflow="fold")
        for each in result.outcomes:
            verdict = Text(each.verdict.value, style=_VERDICTS.get(each.verdict, "dim"))
            end = each.url if each.verdict is Verdict.REACHED else each.message
            cells = (each.kind, each.name, each.id, each.status, f"{each.seconds:.1f}", _printable(end))
            table.add_row(verdict, *(Text(cell) for cell in cells))
        self._out.print(table)
        if not result.made:
            self._out.print(Text("Nothing was changed."))

    def _print_json(self, document: object) -> None:
        self._out.file.write(json.dumps(document, indent=2) + "\n")

    def _warn(self, text: str) -> None:
        self.trouble(text)
        self._annotate("warning", text)

    def _annotate(self, level: str, text: str, file: str = "", line: int = 0) -> None:
        if not self._on_github:
            return
        place = ",".join(
            f"{key}={_property(value)}" for key, value in (("file", file), ("line", str(line or ""))) if value
        )
        self._err.file.write(f"::{level}{f' {place}' if place else ''}::{_data(text)}\n")

    def _summarise(self, page: str) -> None:
        """What was done is done, also where the page cannot be written."""
        if not self._summary_file:
            return
        try:
            with Path(self._summary_file).open("a", encoding="utf-8") as file:
                file.write(f"{page}\n")
        except OSError as error:
            self._warn(f"the job's page {self._summary_file} could not be written: {error.strerror or error}")


def _wide(console: Console) -> Console:
    """As wide as the terminal; where there is none, nothing is folded."""
    if console.is_terminal:
        return console
    return Console(file=console.file, width=_WIDE, no_color=True)


def _line(project: Project, kind: str, name: str) -> int:
    entries = project.wanted.executions if kind == "execution" else project.wanted.deployments
    place = next((place for place, each in enumerate(entries) if each.name == name), 0)
    return project.document.line_of((f"{kind}s", place, "configuration"))


def _printable(text: str) -> str:
    """Without what could steer a terminal."""
    return "".join(each for each in text if each.isprintable() or each == "\t")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
