"""`mooring plan` and `mooring deploy`: a file, made so."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from mooring.cli.options import HomeOption, home_from

if TYPE_CHECKING:
    from mooring.cli.pipeline_console import PipelineConsole
    from mooring.client.credentials import Credentials
    from mooring.client.destinations import DestinationClient
    from mooring.pipeline.outcome import Result
    from mooring.pipeline.patience import Patience
    from mooring.pipeline.project import Project
    from mooring.pipeline.steps import Plan

_REFUSED = 3
_FAILED = 1
_CHANGES = 2
_BROKEN_OFF = 130
_WAIT_SECONDS = 1800.0
_PLAN_SECONDS = 30.0
"""For a server that is away: nothing is lost by planning later."""

_PLAN_HELP = """Print what `mooring deploy` would do with FILE, and change nothing.

Exit codes: 0 there is nothing to do, 1 failed, 2 there is something to do, 3 the input is refused.

Examples:

    mooring plan
    mooring plan cicd/config.json --stage prd --json
    mooring plan --schema > config.schema.json
"""
_DEPLOY_HELP = """Make it so: artifacts, configurations, executions, deployments and destinations as FILE says.

What is there already is found again by its content and left alone; a deployment keeps its URL. Waits until everything
has reached its status, and follows the logs meanwhile. Whatever breaks it off, running it again goes on from there.

Exit codes: 0 reached, 1 failed, 3 the input is refused and nothing was touched, 4 not reached in time.

Examples:

    mooring deploy
    mooring deploy cicd/config.json --stage dev --timeout 600
    mooring deploy --service-key key.json --json
"""

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="What a stage should hold.")]
StageOption = Annotated[
    str | None, typer.Option("--stage", "-s", help="Which stage of the file, where it has several.", show_default=False)
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--service-key", metavar="FILE", help="A service key, instead of AICORE_*.", show_default=False),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="A profile of ~/.aicore (or AICORE_HOME), instead of AICORE_*.", show_default=False),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        "--resource-group",
        "-g",
        help="The resource group, before the file's and that of the credentials.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


class PipelineCommand(TyperCommand):
    """Its exit code 2 has a meaning: options that are wrong are refused input."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().make_context(*arguments, **options)
        except Exception as error:
            if getattr(error, "exit_code", None) == _CHANGES:
                error.exit_code = _REFUSED  # type: ignore[attr-defined]
            raise


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("plan", cls=PipelineCommand, help=_PLAN_HELP)(plan)
    app.command("deploy", cls=PipelineCommand, help=_DEPLOY_HELP)(deploy)


def plan(
    file: FileArgument = Path("cicd/config.json"),
    stage: StageOption = None,
    service_key: KeyOption = None,
    profile: ProfileOption = None,
    resource_group: GroupOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the file's JSON Schema, for editors.")] = False,
) -> None:
    if schema:
        from mooring.pipeline.editor_schema import editor_schema

        typer.echo(json.dumps(editor_schema(), indent=2))
        return
    from mooring.pipeline.patience import Patience

    console = _console(as_json=as_json)
    with _failures(console), _Run(file, stage, service_key, profile, resource_group, home) as run:
        planned = run.plan(Patience(away_seconds=_PLAN_SECONDS, tell=console.trouble))
        console.show_plan(planned, stage)
        if planned.changes:
            raise typer.Exit(_CHANGES)


def deploy(
    file: FileArgument = Path("cicd/config.json"),
    stage: StageOption = None,
    service_key: KeyOption = None,
    profile: ProfileOption = None,
    resource_group: GroupOption = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds that each may take, unless the file says otherwise.")
    ] = _WAIT_SECONDS,
    logs: Annotated[bool, typer.Option("--logs/--no-logs", help="Follow the logs.")] = True,
    platform_logs: Annotated[
        bool, typer.Option("--platform-logs", help="Also the lines of the platform, which begin with time=.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    console = _console(as_json=as_json, platform_logs=platform_logs)
    with _failures(console), _Run(file, stage, service_key, profile, resource_group, home) as run:
        result = run.deploy(console, timeout, logs=logs)
        console.show_result(result, run.project)
    if result.exit_code:
        raise typer.Exit(int(result.exit_code))


class _Run:
    """One file against one server. Everything raises Refused and ApiError."""

    def __init__(
        self,
        file: Path,
        stage: str | None,
        service_key: Path | None,
        profile: str | None,
        group: str | None,
        home: Path | None,
    ) -> None:
        from mooring.pipeline.project import read

        self.project: Project = read(file, stage, os.environ)
        self._credentials = _credentials(service_key, profile, home)
        wanted = group or self.project.wanted.resource_group or self._credentials.resource_group
        self._credentials = replace(self._credentials, resource_group=_checked_group(wanted))
        if group:
            changed = self.project.wanted.model_copy(update={"resource_group": group})
            self.project = replace(self.project, wanted=changed)
        self._stack = ExitStack()

    def __enter__(self) -> "_Run":
        from mooring.client.client import AIClient

        self._client: AIClient = self._stack.enter_context(AIClient.of(self._credentials))
        self._service = self._destination_service()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def plan(self, patience: "Patience") -> "Plan":
        from mooring.pipeline.look import look
        from mooring.pipeline.plan import plan as planned

        there = patience.through(lambda: look(self.project.wanted, self._client, self._service))
        return planned(self.project, there)

    def deploy(self, console: "PipelineConsole", timeout: float, *, logs: bool) -> "Result":
        from mooring.pipeline.apply import Applier
        from mooring.pipeline.interrupts import Interrupts
        from mooring.pipeline.patience import Patience
        from mooring.pipeline.sync import sync
        from mooring.pipeline.watch import Watcher

        wanted, interrupts = self.project.wanted, Interrupts()
        patience = Patience(sleep=interrupts.sleep, tell=console.trouble)
        with interrupts.heard():
            if wanted.application:
                sync(wanted.application, self._client, console, patience)
            planned = self.plan(patience)
            console.tell_plan(planned)
            applier = Applier(
                self._client,
                self._service,
                console,
                Watcher(self._client, console, with_logs=logs),
                mark=wanted.mark,
                timeout_seconds=timeout,
                patience=patience,
                interrupts=interrupts,
            )
            with console.live():
                return applier.apply(planned)

    def _destination_service(self) -> "DestinationClient | None":
        if not any(each.destination_name for each in self.project.wanted.deployments):
            return None
        from mooring.client.destinations import DestinationClient
        from mooring.pipeline.refused import Refused

        try:
            return self._stack.enter_context(DestinationClient.from_env())
        except ValueError as error:
            raise Refused(
                f"the file sets destinations, for which the Destination service is needed; {error}"
            ) from error


def _checked_group(name: str) -> str:
    """What comes from an option or the environment is as strict as what stands in the file."""
    from mooring.pipeline.refused import Refused
    from mooring.pipeline.schema import RESOURCE_GROUP

    if re.fullmatch(RESOURCE_GROUP, name) is None:
        raise Refused(
            f"{name!r} is no resource group: give one of 3 to 253 letters, digits, dots and hyphens with "
            "--resource-group, in the file or as AICORE_RESOURCE_GROUP"
        )
    return name


def _credentials(service_key: Path | None, profile: str | None, home: Path | None) -> "Credentials":
    """What is given on the command line, then the environment, `~/.aicore`, and the installation on this machine."""
    from mooring.client import credentials
    from mooring.pipeline.refused import Refused

    local = home_from(home).service_key
    try:
        if service_key is None and profile is None and home is not None:
            if not local.exists():
                raise Refused(
                    f"there is no installation in {local.parent}: start it (`mooring up`), "
                    "or leave --home and MOORING_HOME out"
                )
            found = credentials.find(service_key=local)
        else:
            found = credentials.find(service_key=service_key, profile=profile)
            found = found or (credentials.find(service_key=local) if local.exists() else None)
    except ValueError as error:
        raise Refused(str(error)) from error
    if found is None:
        raise Refused(
            "no credentials: set AICORE_*, give --service-key or --profile, or start Mooring here (`mooring up`)"
        )
    return found


@contextmanager
def _failures(console: "PipelineConsole") -> Iterator[None]:
    """Each ends with its exit code, in words, and annotated where a CI shows annotations."""
    from mooring.client.errors import ApiError
    from mooring.pipeline.refused import Refused
    from mooring.pipeline.sync import NotSynced

    try:
        yield
    except Refused as refused:
        console.show_refusal(refused)
        raise typer.Exit(_REFUSED) from refused
    except (ApiError, NotSynced) as error:
        console.show_failure(str(error))
        raise typer.Exit(_FAILED) from error
    except KeyboardInterrupt as error:
        console.show_failure("broken off before anything was made")
        raise typer.Exit(_BROKEN_OFF) from error


def _console(*, as_json: bool, platform_logs: bool = False) -> "PipelineConsole":
    from mooring.cli.pipeline_console import PipelineConsole

    return PipelineConsole(as_json=as_json, platform_logs=platform_logs, env=os.environ, out=sys.stdout)
