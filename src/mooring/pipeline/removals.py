"""What this pipeline has made before and needs no more.

Configurations carry no labels in the AI API, so they are told by name: those of the file's entries, and with
`pipeline` in the file all that end in its mark.
"""

from collections.abc import Iterable, Iterator, Sequence

from mooring.client.deployments import Deployment
from mooring.client.executions import Execution
from mooring.pipeline.found import Found
from mooring.pipeline.schema import Wanted
from mooring.pipeline.steps import Kind, Remove, RunExecution, Serve

_RUNNING = ("PENDING", "RUNNING")


def removals(
    wanted: Wanted,
    found: Found,
    executions: Sequence[RunExecution],
    deployments: Sequence[Serve],
    taken: Iterable[str],
) -> Iterator[Remove]:
    """Deployments first. An execution stays while a deployment that is not removed serves something that it made.

    `taken`: ids of the artifacts that the file's own entries take.
    """
    kept = {step.id for step in executions} | {step.id for step in deployments}
    mine = _Mine(wanted)
    doomed = [each for each in found.deployments if each.id not in kept and mine.owns(each)]
    for deployment in doomed:
        yield _removal("deployment", deployment)
    # What the file's own deployments serve now is not what they serve when this is done.
    served = {*taken, *_served(found, {each.id for each in doomed} | {step.id for step in deployments})}
    for execution in found.executions:
        made = {artifact.id for artifact in execution.output_artifacts or ()}
        if execution.id not in kept and mine.owns(execution) and not made & served:
            yield _removal("execution", execution)


class _Mine:
    def __init__(self, wanted: Wanted) -> None:
        self._mark = wanted.mark
        self._names = {
            (name, *each.configuration.executable)
            for each in (*wanted.executions, *wanted.deployments)
            for name in (each.configuration.name, wanted.full_name(each.configuration.name))
        }

    def owns(self, each: Execution | Deployment) -> bool:
        if each.target_status == "DELETED":
            return False
        name = each.configuration_name or ""
        marked = bool(self._mark) and name.endswith(self._mark)
        return marked or (name, each.scenario_id, each.executable_id) in self._names


def _served(found: Found, others_than: set[str]) -> set[str]:
    """Artifacts that are used now or that a change back would use."""
    used = {
        id_
        for each in found.deployments
        if each.id not in others_than
        for id_ in (each.configuration_id, each.latest_running_configuration_id)
    }
    return {artifact for each in found.configurations if each.id in used for artifact in each.inputs.values()}


def _removal(kind: Kind, each: Execution | Deployment) -> Remove:
    stop = each.status in _RUNNING and each.target_status != "STOPPED"
    return Remove(kind, each.id, each.configuration_name or each.id, stop)
