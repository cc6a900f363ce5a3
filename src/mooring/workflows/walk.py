"""What a workflow needs now, worked out anew each time from its template and its jobs."""

from collections.abc import Sequence
from datetime import datetime

from mooring.domain.jobs import ENDED, JobView, Progress
from mooring.templates.errors import TemplateError
from mooring.templates.trees import required_text
from mooring.workflows.arguments import Given
from mooring.workflows.orders import Place
from mooring.workflows.outcomes import Outcome, Phase, alone
from mooring.workflows.walker import TooLarge, Walker
from mooring.workflows.workflow import Workflow


def walk(workflow: Workflow, jobs: Sequence[JobView], now: datetime) -> Progress:
    """The same jobs give the same answer; `now` matters only to retries of what has no end to count from."""
    root = _root(workflow, jobs, now)
    running = tuple(job.id for job in jobs if job.state not in ENDED)
    if not root.done:
        return Progress(begin=root.begin, nodes=root.nodes)
    # What still runs then is of a workflow that has become too large.
    return Progress(
        stop=running,
        over=not running,
        failure=root.failure,
        outputs={} if root.bad else root.exports,
        nodes=root.nodes,
    )


def _root(workflow: Workflow, jobs: Sequence[JobView], now: datetime) -> Outcome:
    entrypoint = "workflow"
    try:
        entrypoint = required_text(workflow.body.get("entrypoint"), "spec.entrypoint")
        workflow.read_deadline()
        # As in Argo, the first template's inputs are the workflow's parameters.
        return Walker(workflow, jobs, now).run(entrypoint, Place(entrypoint), lambda: Given(workflow.parameters))
    except (TemplateError, TooLarge) as error:
        return alone(Phase.ERROR, entrypoint, entrypoint, str(error))
