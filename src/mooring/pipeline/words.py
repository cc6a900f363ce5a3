"""A plan and its result in words: lines for people, JSON for scripts, a page for GitHub."""

from collections.abc import Iterator
from typing import Any

from mooring.pipeline.outcome import Result
from mooring.pipeline.steps import (
    CreateArtifact,
    CreateConfiguration,
    CreateDeployment,
    CreateExecution,
    FollowExecution,
    KeepDeployment,
    PatchDeployment,
    Plan,
    ReuseExecution,
    Serve,
    SetDestination,
    Work,
)

Line = tuple[str, str, str, str]
"""What is done (create, reuse, follow, change, keep, set, stop, delete), with what, called what, and why."""


def lines(plan: Plan) -> Iterator[Line]:
    """In the order in which it is carried out."""
    if plan.resource_group:
        yield "create", "resource group", plan.resource_group.name, ""
    for artifact in plan.artifacts:
        if isinstance(artifact, CreateArtifact):
            yield "create", "artifact", artifact.entry.key, artifact.entry.url
        else:
            yield "reuse", "artifact", artifact.entry.key, artifact.id
    for work in plan.work:
        name = work.entry.configuration.name
        if isinstance(work.configuration, CreateConfiguration):
            yield "create", "configuration", name, ""
        else:
            yield "reuse", "configuration", name, work.configuration.id
        verb, why = _action(work)
        yield verb, work.kind, work.entry.name, why
    for destination in plan.destinations:
        if isinstance(destination, SetDestination):
            yield "set", "destination", destination.name, destination.reason
        else:
            yield "keep", "destination", destination.name, f"leads to {destination.deployment}"
    for removal in plan.removals:
        if removal.stop:
            yield "stop", removal.kind, removal.name, removal.id
        yield "delete", removal.kind, removal.name, removal.id


def _action(work: Work) -> tuple[str, str]:
    match work.action:
        case CreateExecution(reason):
            return "create", reason
        case FollowExecution(id_, status):
            return "follow", f"{id_} is {status}"
        case ReuseExecution(id_):
            return "reuse", f"{id_} has completed with these values"
        case CreateDeployment():
            return "create", "there is none of this name"
        case PatchDeployment(id_, changes):
            return "change", f"{id_}: {', '.join(changes) or 'its configuration'}{_way_back(work)}"
        case KeepDeployment(id_, status):
            return "keep", f"{id_} is {status}"


def _way_back(work: Work) -> str:
    if not isinstance(work, Serve) or work.rollout is None:
        return ""
    return f"; back to what serves now if it fails before it serves or within {work.rollout.window_seconds:g} s after"


def plan_document(plan: Plan, stage: str | None) -> dict[str, Any]:
    """For scripts."""
    steps = [dict(zip(("action", "kind", "name", "detail"), line, strict=True)) for line in lines(plan)]
    return {"stage": stage, "changes": plan.changes, "steps": steps, "warnings": list(plan.warnings)}


def result_document(result: Result, stage: str | None) -> dict[str, Any]:
    """For scripts."""
    results = [
        {
            "kind": each.kind,
            "name": each.name,
            "action": each.did,
            "verdict": each.verdict.value,
            "id": each.id or None,
            "status": each.status or None,
            "url": each.url or None,
            "message": each.message or None,
            "seconds": round(each.seconds, 1),
        }
        for each in result.outcomes
    ]
    return {
        "stage": stage,
        "exitCode": int(result.exit_code),
        "results": results,
        "destinations": result.destinations,
        "written": result.made,
        "errors": result.errors,
        "brokenOff": result.broken_off,
    }


def plan_page(plan: Plan, stage: str | None) -> str:
    """Markdown."""
    rows = [[verb, kind, name, why] for verb, kind, name, why in lines(plan)]
    return _page("plan", stage, ["", "what", "name", "detail"], rows)


def result_page(result: Result, stage: str | None) -> str:
    """Markdown."""
    rows = [
        [each.verdict.value, each.kind, each.name, each.status, each.url or each.id, each.message]
        for each in result.outcomes
    ]
    errors = "".join(f"\n- {_cell(error)}" for error in result.errors)
    return _page("deploy", stage, ["result", "what", "name", "status", "where", "message"], rows) + errors


def _page(title: str, stage: str | None, head: list[str], rows: list[list[str]]) -> str:
    table = [head, ["---"] * len(head), *rows]
    text = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table)
    return f"### mooring {title}{f' ({stage})' if stage else ''}\n\n{text}\n"


def _cell(text: str) -> str:
    """A message is no place for markup of whoever wrote it."""
    for character in "\\`|<>[]*_":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
