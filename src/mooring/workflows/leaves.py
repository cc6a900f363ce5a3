"""A node that runs a container: what its tries so far say about it."""

from collections.abc import Iterator, Sequence

from mooring.domain.jobs import JobState, JobView, NodeFact
from mooring.templates.trees import entries, required_text, text
from mooring.workflows.orders import Place, packed
from mooring.workflows.outcomes import Outcome, Outputs, Phase, Stored
from mooring.workflows.workflow import Template

_PHASES = {
    JobState.WAITING: Phase.PENDING,
    JobState.RUNNING: Phase.RUNNING,
    JobState.STORING: Phase.RUNNING,
    JobState.SUCCEEDED: Phase.SUCCEEDED,
    JobState.FAILED: Phase.FAILED,
    JobState.ERROR: Phase.ERROR,
    JobState.STOPPED: Phase.FAILED,
}


def outcome_of(template: Template, place: Place, tries: Sequence[JobView]) -> Outcome:
    """How a node stands after its last try; `tries` are those so far, at least one."""
    last = tries[-1]
    phase = _PHASES[last.state]
    outputs = _outputs(template, last) if phase is Phase.SUCCEEDED else Outputs(exit_code=last.exit_code)
    message = _message(last)
    exports = {
        export.global_name: outputs.artifacts[name].url
        for name, found in place.exports.items()
        if name in outputs.artifacts
        for export in found
    }
    return Outcome(
        phase,
        outputs=outputs,
        nodes=(NodeFact(place.node, required_text(template.get("name"), "name"), phase.value, message),),
        exports=exports,
        failure=f"{place.node}: {message}" if phase in (Phase.FAILED, Phase.ERROR) else "",
        started_at=tries[0].started_at or tries[0].ended_at,
        ended_at=last.ended_at,
        id=last.id,
    )


def _outputs(template: Template, job: JobView) -> Outputs:
    return Outputs(
        parameters=job.result.parameters,
        artifacts=dict(_artifacts(template, job)),
        result=job.result.result,
        exit_code=job.exit_code,
    )


def _artifacts(template: Template, job: JobView) -> Iterator[tuple[str, Stored]]:
    for path, item in entries(template, "", "outputs", "artifacts"):
        name = text(item.get("name"), f"{path}.name") or ""
        if name in job.result.artifacts:
            yield name, Stored(job.result.artifacts[name], unpack=packed(item, path))


def _message(job: JobView) -> str:
    if job.reason:
        return job.reason
    match job.state:
        case JobState.FAILED if job.exit_code is not None:
            return f"ended with exit code {job.exit_code}"
        case JobState.FAILED | JobState.ERROR:
            return f"has {'failed' if job.state is JobState.FAILED else 'not been run'}, and nothing says why"
        case JobState.STOPPED:
            return "was stopped"
    return ""
