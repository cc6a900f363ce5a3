"""One walk through a workflow, from its entrypoint to its leaves."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from mooring.domain.jobs import JobState, JobView
from mooring.templates.budgets import Budget
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import fill, names_in
from mooring.templates.trees import required_text
from mooring.templates.workflow_retries import RetryStrategy, read_retry_strategy
from mooring.templates.workflow_template import DEEPEST
from mooring.workflows import calls, leaves, nested, places
from mooring.workflows.arguments import Given, inputs
from mooring.workflows.calls import Call
from mooring.workflows.orders import Place, order, repeated
from mooring.workflows.outcomes import Outcome, Phase, alone, gather, named
from mooring.workflows.retries import next_try
from mooring.workflows.scope import MOST_CHARACTERS, Scope
from mooring.workflows.workflow import Template, Workflow

MOST_NODES = 1000


class TooLarge(Exception):
    """The workflow has more nodes, or is nested deeper, than we run."""


class Walker:
    """Evaluates templates at their places; used once. Raises TooLarge."""

    def __init__(self, workflow: Workflow, jobs: Sequence[JobView], now: datetime) -> None:
        self._workflow = workflow
        self._now = now
        self._tries: dict[str, list[JobView]] = {}
        for job in sorted(jobs, key=lambda job: job.attempt):
            self._tries.setdefault(job.node, []).append(job)
        # Once something was stopped, the execution is being stopped.
        self._retrying = all(job.state is not JobState.STOPPED for job in jobs)
        self._sole = places.sole_templates(workflow)
        self._results: dict[str, frozenset[str]] = {}
        self._nodes = 0
        self._budget = Budget(MOST_CHARACTERS)

    def run(self, name: str, place: Place, hand_over: Callable[[], Given]) -> Outcome:
        """How the template stands at this place."""
        template = self._workflow.templates[name]
        exports = places.exports_of(template, sole=name in self._sole, inherited=place.exports)
        place = replace(place, exports=exports)
        try:
            if "steps" in template or "dag" in template:
                return self._nested(template, place, hand_over)
            return self._leaf(template, place, hand_over)
        except TemplateError as error:
            return alone(Phase.ERROR, place.node, name, str(error))

    def visited(self, node: str) -> bool:
        """Whether jobs of this node, or of one below it, have begun."""
        return any(each == node or each.startswith((f"{node}[", f"{node}.", f"{node}(")) for each in self._tries)

    def _leaf(self, template: Template, place: Place, hand_over: Callable[[], Given]) -> Outcome:
        tries = self._tries.get(place.node, [])
        if not tries:
            return self._begun(template, place, hand_over, attempt=0, not_before=place.not_before)
        outcome = leaves.outcome_of(template, place, tries)
        if not outcome.bad:
            return outcome
        strategy = self._retry_strategy(template, hand_over)
        moment = next_try(strategy, len(tries), outcome, self._now)
        if moment is None:
            return outcome
        again = self._begun(template, place, hand_over, attempt=tries[-1].attempt + 1, not_before=moment)
        fact = replace(again.nodes[0], message=f"is tried again: {outcome.nodes[0].message}")
        return replace(again, nodes=(fact,), started_at=outcome.started_at)

    def _begun(
        self,
        template: Template,
        place: Place,
        hand_over: Callable[[], Given],
        *,
        attempt: int,
        not_before: datetime | None,
    ) -> Outcome:
        scope = inputs(template, hand_over(), self._workflow, self._budget)
        wanted = order(self._workflow, template, place, scope, attempt=attempt, not_before=not_before)
        return replace(alone(Phase.PENDING, place.node, wanted.template), begin=(wanted,))

    def _nested(self, template: Template, place: Place, hand_over: Callable[[], Given]) -> Outcome:
        """One run of its steps or tasks; with a `retryStrategy`, as many as that allows."""
        name = required_text(template.get("name"), "name")
        scope = inputs(template, hand_over(), self._workflow, self._budget)
        if "retryStrategy" not in template:
            return named(self._once(template, scope, place), place.node, name)
        strategy = self._retry_strategy(template, hand_over)
        runs: list[Outcome] = []
        moment = place.not_before
        while not runs or moment is not None:
            again = replace(repeated(place, f"{place.node}({len(runs)})"), not_before=moment)
            runs.append(named(self._once(template, scope, again), again.node, name))
            moment = next_try(strategy, len(runs), _since_the_first(runs), self._now) if runs[-1].bad else None
        last = runs[-1]
        whole = gather(runs, last.phase, failure=last.failure)
        return named(replace(whole, outputs=last.outputs, exports=last.exports), place.node, name)

    def _once(self, template: Template, scope: Scope, place: Place) -> Outcome:
        def evaluate(call: Call, seen: Scope, node: str) -> Outcome:
            below = self._below(template, call, place, node)
            return calls.outcome_of(call, seen, below, self._workflow, self.run, self._count)

        if "steps" in template:
            return nested.steps(template, scope, place.node, evaluate)
        return nested.graph(template, scope, place.node, evaluate, self.visited)

    def _below(self, template: Template, call: Call, place: Place, node: str) -> Place:
        name = required_text(call.get("name"), "name")
        caller = required_text(template.get("name"), "name")
        if caller not in self._results:
            self._results[caller] = places.results_wanted(template)
        return Place(
            node=node,
            depth=place.depth + 1,
            exports=places.exports_of_call(template, name, place.exports),
            wants_result=name in self._results[caller],
            not_before=place.not_before,
        )

    def _retry_strategy(self, template: Template, hand_over: Callable[[], Given]) -> RetryStrategy | None:
        written = template.get("retryStrategy")
        if written is None or not self._retrying:
            return None
        if any(names_in(written)):
            written = fill(written, inputs(template, hand_over(), self._workflow, self._budget).resolve)
        return read_retry_strategy(written, "retryStrategy")

    def _count(self, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooLarge(f"the workflow has more than {MOST_NODES} steps and tasks: split it into several")
        if place.depth > DEEPEST:
            raise TooLarge(f"{place.node}: templates call each other more than {DEEPEST} deep")


def _since_the_first(runs: Sequence[Outcome]) -> Outcome:
    starts = [run.started_at for run in runs if run.started_at]
    return replace(runs[-1], started_at=min(starts, default=None))
