"""Workflows from text, and jobs of theirs that run in memory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mooring.domain.jobs import ENDED, JobOrder, JobResult, JobState, JobView, Progress
from mooring.templates.trees import to_json
from mooring.templates.workflow_documents import workflow_document
from mooring.workflows import Workflow, walk
from tests.templates.samples import only

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: sample
  labels: {scenarios.ai.sap.com/id: samples, ai.sap.com/version: "1"}
spec:
"""
RunJob = Callable[[JobOrder], JobView]


def workflow(
    spec: str,
    parameters: Mapping[str, str] | None = None,
    *,
    inputs: Mapping[str, str] | None = None,
    suffixes: Mapping[str, str] | None = None,
) -> Workflow:
    """From `spec` without its indentation, by way of the sync and the store."""
    template = only(HEAD + "".join(f"  {line}\n" for line in spec.strip().splitlines()))
    values = {each.name: each.default for each in template.parameters if each.default is not None} | {
        **(parameters or {})
    }
    outputs = [{"globalName": each.name, "suffix": (suffixes or {}).get(each.name, "")} for each in template.outputs]
    document = workflow_document(to_json(dict(template.body)), values, inputs or {}, outputs)
    return Workflow.from_json("e1", document, created_at=START)


class Simulation:
    """Jobs of a workflow, in the order in which they were recorded; time goes on by a second per event."""

    def __init__(self, of: Workflow) -> None:
        self.workflow = of
        self.now = START
        self.jobs: list[JobView] = []
        self.orders: dict[tuple[str, int], JobOrder] = {}

    def look(self) -> Progress:
        """Walk, and record what begins. Never twice the same job."""
        progress = walk(self.workflow, self.jobs, self.now)
        assert progress == walk(self.workflow, list(self.jobs), self.now)
        for order in progress.begin:
            key = (order.node, order.attempt)
            assert key not in self.orders, f"{key} begins twice"
            self.orders[key] = order
            self.jobs.append(JobView(f"j{len(self.jobs)}", order.node, order.attempt, JobState.WAITING))
        return progress

    @property
    def waiting(self) -> list[str]:
        return [job.node for job in self.jobs if job.state not in ENDED]

    def end(
        self, node: str, *, code: int = 0, state: JobState | None = None, result: str = "", **parameters: str
    ) -> None:
        """The running job of a node ends, with all the artifacts that it was to make."""
        (i,) = [i for i, job in enumerate(self.jobs) if job.node == node and job.state not in ENDED]
        job = self.jobs[i]
        order = self.orders[node, job.attempt]
        self.now += timedelta(seconds=1)
        made = JobResult(parameters, {each.name: each.url for each in order.outputs}, result)
        ended = state or (JobState.FAILED if code else JobState.SUCCEEDED)
        self.jobs[i] = replace(
            job,
            state=ended,
            exit_code=code,
            started_at=job.started_at or self.now - timedelta(seconds=1),
            ended_at=self.now,
            result=made if ended is JobState.SUCCEEDED else JobResult(),
        )

    def order(self, node: str, attempt: int = 0) -> JobOrder:
        return self.orders[node, attempt]

    def run(self, *, fail: frozenset[str] = frozenset()) -> Progress:
        """To the end; the jobs of nodes in `fail` fail."""
        while True:
            progress = self.look()
            if progress.over:
                return progress
            assert self.waiting, "nothing runs, and it is not over"
            for node in self.waiting:
                self.end(node, code=1 if node in fail else 0)


def phases(progress: Progress) -> dict[str, str]:
    return {fact.node: fact.phase for fact in progress.nodes}


def begun(progress: Progress) -> list[str]:
    return [order.node for order in progress.begin]
