"""Carries a plan out, step by step; whatever breaks it off, running it again goes on from there."""

from collections.abc import Callable, Sequence

from mooring.client.client import AIClient
from mooring.client.destinations import DestinationClient
from mooring.client.errors import ApiError
from mooring.pipeline.destinations import facts, of_name
from mooring.pipeline.found import output_of
from mooring.pipeline.interrupts import Interrupts
from mooring.pipeline.listener import Listener
from mooring.pipeline.made import Made
from mooring.pipeline.outcome import Outcome, Result, Verdict
from mooring.pipeline.patience import Patience
from mooring.pipeline.remover import Remover
from mooring.pipeline.schema import ArtifactEntry
from mooring.pipeline.steps import (
    ArtifactOf,
    ConfigurationStep,
    CreateArtifact,
    CreateDeployment,
    CreateExecution,
    FollowExecution,
    KeepDeployment,
    PatchDeployment,
    Plan,
    ReuseConfiguration,
    ReuseExecution,
    RunExecution,
    Serve,
    SetDestination,
    Source,
    Work,
)
from mooring.pipeline.watch import Watched, Watcher

_GROUP_SECONDS = 120.0
_OUTPUT_SECONDS = 30.0
_CHANGEABLE_SECONDS = 60.0


class StepFailed(Exception):
    """A step could not be done; the message says why."""


class Applier:
    """Of one plan. `mark` is what the names of its configurations end in."""

    def __init__(
        self,
        client: AIClient,
        service: DestinationClient | None,
        listener: Listener,
        watcher: Watcher,
        *,
        mark: str = "",
        timeout_seconds: float,
        patience: Patience,
        interrupts: Interrupts,
    ) -> None:
        self._client = client
        self._service = service
        self._listener = listener
        self._watcher = watcher
        self._mark = mark
        self._timeout_seconds = timeout_seconds
        self._patience = patience
        self._interrupts = interrupts
        self._made = Made(client, patience)
        self._artifacts: dict[Source, str] = {}
        self._under_way: list[Watched] = []
        self._result = Result()

    def apply(self, plan: Plan) -> Result:
        """All that went wrong is in the result; also that it was broken off by Ctrl-C, and what is left then."""
        try:
            self._apply(plan)
        except (ApiError, StepFailed) as error:
            self._result.errors.append(str(error))
        except KeyboardInterrupt:
            self._result.broken_off = True
        self._tell_the_rest(plan)
        return self._result

    def _apply(self, plan: Plan) -> None:
        self._artifacts = dict(plan.known)
        self._made = Made(self._client, self._patience, plan.there)
        self._prepare(plan)
        self._run_executions(plan.executions)
        if self._all_reached():
            self._settle([self._serving(each) for each in plan.deployments])
        for destination in plan.destinations:
            if isinstance(destination, SetDestination):
                self._set_or_tell(destination)
        if self._all_is_as_wanted():
            self._remove(plan)

    # --- before anything runs ---

    def _prepare(self, plan: Plan) -> None:
        if plan.resource_group:
            name, groups = plan.resource_group.name, self._client.resource_groups
            self._patience.through(lambda: groups.create(name))
            self._did(f"resource group {name} is made")
            if not self._patience.until(lambda: groups.get(name).status == "PROVISIONED", _GROUP_SECONDS):
                raise StepFailed(f"resource group {name} is not ready after {_GROUP_SECONDS:g} s")
        for step in plan.artifacts:
            if isinstance(step, CreateArtifact):
                self._create_artifact(step.entry)

    def _create_artifact(self, entry: ArtifactEntry) -> None:
        with self._interrupts.held():
            id_ = self._made.artifact(entry)
            self._artifacts[ArtifactOf(entry.key)] = id_
            self._did(f"artifact {entry.key} is registered ({id_})")

    def _configuration(self, step: ConfigurationStep) -> str:
        """Its id."""
        if isinstance(step, ReuseConfiguration):
            return step.id
        entry = step.entry
        inputs = {key: self._artifact(source) for key, source in step.inputs.items()}
        name = f"{entry.name}{self._mark}"
        id_ = self._made.configuration(name, entry, inputs)
        self._did(f"configuration {name} is made ({id_})")
        return id_

    def _artifact(self, source: Source) -> str:
        """Its id; that of an execution's output once it has been made."""
        if source in self._artifacts:
            return self._artifacts[source]
        if isinstance(source, ArtifactOf):
            raise StepFailed(f"artifact {source.key} was not registered")
        execution_id = next(each.id for each in self._of("execution") if each.name == source.execution)
        made: list[str] = []

        def is_there() -> bool:
            found = output_of(self._client.executions.get(execution_id), source.name)
            made.extend([found.id] if found else [])
            return bool(found)

        if not self._patience.until(is_there, _OUTPUT_SECONDS):
            raise StepFailed(
                f"execution {source.execution} ({execution_id}) has completed without output {source.name}"
            )
        self._artifacts[source] = made[0]
        return made[0]

    # --- what runs ---

    def _run_executions(self, executions: Sequence[RunExecution]) -> None:
        """In waves: all at once of which the inputs are there."""
        left = list(executions)
        done: set[str] = set()
        while left and self._all_reached():
            wave = [each for each in left if each.needs <= done]
            self._settle([self._running(each) for each in wave])
            done |= {each.entry.name for each in wave}
            left = [each for each in left if each not in wave]

    def _settle(self, starts: Sequence[Callable[[], Watched | None]]) -> None:
        """Start all of them, then wait for all of them. One that cannot be started does not stop the others."""
        watched = [each for start in starts if (each := start())]
        self._watcher.settle(watched, self._result.outcomes)

    def _running(self, step: RunExecution) -> Callable[[], Watched | None]:
        def start() -> Watched | None:
            match step.action:
                case ReuseExecution(id_):
                    outcome = Outcome("execution", step.entry.name, "reused", Verdict.REACHED, id_, "COMPLETED")
                    self._result.outcomes.append(outcome)
                    return None
                case FollowExecution(id_):
                    return self._watched(step, id_, "followed", self._configuration(step.configuration))
                case CreateExecution():
                    configuration = self._configuration(step.configuration)
                    id_ = self._made.execution(configuration)
                    self._did(f"execution {step.entry.name} is started ({id_})")
                    return self._watched(step, id_, "created", configuration)

        return lambda: self._started(step, start)

    def _serving(self, step: Serve) -> Callable[[], Watched | None]:
        def start() -> Watched:
            configuration = self._configuration(step.configuration)
            match step.action:
                case KeepDeployment(id_):
                    return self._watched(step, id_, "kept", configuration)
                case PatchDeployment(id_):
                    return self._patched(step, id_, configuration)
                case CreateDeployment():
                    id_ = self._made.deployment(configuration, ttl=step.entry.ttl, rollout=step.rollout)
                    self._did(f"deployment {step.entry.name} is made ({id_})")
                    return self._watched(step, id_, "created", configuration)

        return lambda: self._started(step, start)

    def _patched(self, step: Serve, id_: str, configuration: str) -> Watched:
        deployments = self._client.deployments
        # One that was made a moment ago cannot be changed before it is PENDING.
        self._patience.until(lambda: deployments.get(id_).status != "UNKNOWN", _CHANGEABLE_SECONDS)
        self._made.change(id_, configuration, rollout=step.rollout)
        self._did(f"deployment {step.entry.name} is changed ({id_})")
        return self._watched(step, id_, "changed", configuration)

    def _started(self, step: Work, start: Callable[[], Watched | None]) -> Watched | None:
        with self._interrupts.held():
            try:
                watched = start()
            except (ApiError, StepFailed) as error:
                refused = Outcome(step.kind, step.entry.name, "refused", Verdict.FAILED, step.id, message=str(error))
                self._result.outcomes.append(refused)
                return None
            if watched:
                self._under_way.append(watched)
            return watched

    def _watched(self, step: Work, id_: str, did: str, configuration: str) -> Watched:
        rollout = step.rollout if isinstance(step, Serve) else None
        return Watched(
            kind=step.kind,
            name=step.entry.name,
            id=id_,
            did=did,
            configuration_id=configuration,
            wait_for=step.entry.wait_for_status,
            timeout_seconds=(step.entry.timeout_seconds or self._timeout_seconds)
            + (rollout.window_seconds if rollout else 0.0),
            until_kept=rollout is not None,
        )

    # --- afterwards ---

    def _set_or_tell(self, step: SetDestination) -> None:
        """One that is refused keeps none of the others."""
        try:
            self._set_destination(step)
        except (ApiError, StepFailed) as error:
            self._result.errors.append(f"destination {step.name}: {error}")

    def _set_destination(self, step: SetDestination) -> None:
        """Only to what has reached its status. What else the destination holds stays."""
        outcome = next((each for each in self._of("deployment") if each.name == step.deployment), None)
        if outcome is None or outcome.verdict is not Verdict.REACHED:
            self._listener.trouble(f"destination {step.name} is left as it is: {step.deployment} does not run")
            return
        if self._service is None:
            raise StepFailed("it cannot be set without the Destination service")
        wanted = {**facts(self._client.credentials), "Name": step.name, "URL": outcome.url}
        service = self._service
        with self._interrupts.held():
            self._patience.through(lambda: service.set({**(of_name(step.name, service) or {}), **wanted}))
            self._result.destinations.append(step.name)
            self._did(f"destination {step.name} leads to {outcome.url}")

    def _remove(self, plan: Plan) -> None:
        remover = Remover(self._client, self._patience)
        for step in plan.removals:
            try:
                self._did(remover.remove(step))
            except (ApiError, TimeoutError) as error:
                self._result.errors.append(f"clean-up: {step.kind} {step.name} ({step.id}): {error}")

    def _tell_the_rest(self, plan: Plan) -> None:
        """What is on its way and what has not begun belongs to the result as well."""
        told = {(each.kind, each.name) for each in self._result.outcomes}
        rest = [
            Outcome(each.kind, each.name, each.did, Verdict.LEFT, each.id, each.seen.partition(" ")[0])
            for each in self._under_way
        ]
        rest += [Outcome(each.kind, each.entry.name, "-", Verdict.NOT_BEGUN, each.id) for each in plan.work]
        for outcome in rest:
            if (outcome.kind, outcome.name) not in told:
                told.add((outcome.kind, outcome.name))
                self._result.outcomes.append(outcome)

    def _all_is_as_wanted(self) -> bool:
        """What a destination that was refused leads to is still needed."""
        return not self._result.errors and all(each.verdict is Verdict.REACHED for each in self._result.outcomes)

    def _all_reached(self) -> bool:
        return all(each.verdict in (Verdict.REACHED, Verdict.LEFT) for each in self._result.outcomes)

    def _of(self, kind: str) -> list[Outcome]:
        return [each for each in self._result.outcomes if each.kind == kind]

    def _did(self, text: str) -> None:
        self._result.made.append(text)
        self._listener.did(text)
