"""What there is to do: the file and what is there in, the steps out."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment
from mooring.client.executions import Execution
from mooring.client.rollouts import Rollout
from mooring.pipeline import checks
from mooring.pipeline.destinations import differences, url_of
from mooring.pipeline.found import GONE, Found, output_of
from mooring.pipeline.project import Project
from mooring.pipeline.refused import Problem, Refused
from mooring.pipeline.removals import removals
from mooring.pipeline.schema import ArtifactEntry, ConfigurationEntry, DeploymentEntry, ExecutionEntry
from mooring.pipeline.sources import Sources, needs
from mooring.pipeline.steps import (
    ArtifactOf,
    CreateArtifact,
    CreateConfiguration,
    CreateDeployment,
    CreateExecution,
    CreateResourceGroup,
    FollowExecution,
    KeepDeployment,
    KeepDestination,
    PatchDeployment,
    Plan,
    Remove,
    ReuseArtifact,
    ReuseConfiguration,
    ReuseExecution,
    RunExecution,
    Serve,
    SetDestination,
    Source,
)

_ACTIVE = ("UNKNOWN", "PENDING", "RUNNING")
_ENDING = ("STOPPING", "STOPPED")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def plan(project: Project, found: Found) -> Plan:
    """Raises Refused when the file does not fit what is there."""
    return _Planner(project, found).plan()


class _Planner:
    def __init__(self, project: Project, found: Found) -> None:
        self._project = project
        self._wanted = project.wanted
        self._found = found
        self._sources = Sources(project, found)
        self._problems: list[Problem] = list(checks.problems(project, found, self._sources))
        # Registering the same data twice makes two ids: any of them will do.
        self._ids: dict[Source, frozenset[str]] = {}
        self._taken: dict[str, str] = {}

    def plan(self) -> Plan:
        group = self._wanted.resource_group
        artifacts = tuple(self._artifact(entry) for entry in self._wanted.artifacts)
        executions = tuple(self._execution(place) for place in self._sources.order())
        deployments = tuple(self._deployment(n, entry) for n, entry in enumerate(self._wanted.deployments))
        problems = [*self._problems, *self._sources.problems]
        if problems:
            raise Refused(problems, file=self._project.file)
        return Plan(
            CreateResourceGroup(group) if group and self._found.resource_group_missing else None,
            artifacts,
            executions,
            deployments,
            tuple(self._destination(each, name) for each in deployments if (name := each.entry.destination_name)),
            self._removals(executions, deployments),
            tuple(checks.warnings(self._project, self._found)),
            {source: min(ids) for source, ids in self._ids.items() if ids},
            self._found.ids,
        )

    def _removals(self, executions: tuple[RunExecution, ...], deployments: tuple[Serve, ...]) -> tuple[Remove, ...]:
        if not self._wanted.clean_up:
            return ()
        taken = [id_ for ids in self._ids.values() for id_ in ids]
        return tuple(removals(self._wanted, self._found, executions, deployments, taken))

    def _artifact(self, entry: ArtifactEntry) -> CreateArtifact | ReuseArtifact:
        wanted = (entry.name, entry.kind, entry.url, entry.scenario_id)
        same = [each for each in self._found.artifacts if (each.name, each.kind, each.url, each.scenario_id) == wanted]
        self._ids[ArtifactOf(entry.key)] = frozenset(each.id for each in same)
        return ReuseArtifact(entry, min(each.id for each in same)) if same else CreateArtifact(entry)

    # --- executions ---

    def _execution(self, place: int) -> RunExecution:
        entry, inputs = self._wanted.executions[place], self._sources.of("executions", place)
        equal = self._equal(entry.configuration, inputs)
        configuration = self._configuration(entry.configuration, inputs, equal)
        return RunExecution(entry, configuration, self._run(entry, equal), needs(inputs))

    def _run(
        self, entry: ExecutionEntry, equal: list[Configuration]
    ) -> CreateExecution | FollowExecution | ReuseExecution:
        if entry.rerun:
            return CreateExecution("rerun is set")
        ids = {each.id for each in equal}
        runs = [
            each for each in self._found.executions if each.configuration_id in ids and each.target_status not in GONE
        ]
        for run in sorted(runs, key=_age, reverse=True):
            if run.status == "COMPLETED" and self._has_outputs(entry, run):
                return ReuseExecution(run.id)
            if run.status in _ACTIVE:
                return FollowExecution(run.id, run.status)
        return CreateExecution("none has completed with these values")

    def _has_outputs(self, entry: ExecutionEntry, run: Execution) -> bool:
        """Whether it has made all that is needed of it; notes what it has made."""
        made = {each: output_of(run, each.name) for each in self._sources.needed_of(entry.name)}
        if None in made.values():
            return False
        self._ids.update({source: frozenset({artifact.id}) for source, artifact in made.items() if artifact})
        return True

    # --- configurations ---

    def _equal(self, entry: ConfigurationEntry, inputs: Mapping[str, Source]) -> list[Configuration]:
        """Those that say the same; none as long as an input of it has to be made."""
        name = self._wanted.full_name(entry.name)
        return [
            each
            for each in self._found.configurations
            if (each.name, each.scenario_id, each.executable_id) == (name, *entry.executable)
            and not self._differences(entry, inputs, each)
        ]

    def _differences(
        self, entry: ConfigurationEntry, inputs: Mapping[str, Source], other: Configuration
    ) -> tuple[str, ...]:
        """The names of what differs."""
        wanted, there = entry.parameters, other.parameters
        names = [key for key in {**wanted, **there} if wanted.get(key) != there.get(key)]
        for key in {**inputs, **other.inputs}:
            ids = self._ids.get(inputs[key], frozenset()) if key in inputs else frozenset()
            if other.inputs.get(key) not in ids:
                names.append(key)
        return tuple(names)

    def _configuration(
        self, entry: ConfigurationEntry, inputs: Mapping[str, Source], equal: list[Configuration], avoid: str = ""
    ) -> CreateConfiguration | ReuseConfiguration:
        usable = [each for each in equal if each.id != avoid]
        if usable:
            return ReuseConfiguration(entry, min(usable, key=lambda each: (each.created_at or _LONG_AGO, each.id)).id)
        return CreateConfiguration(entry, inputs)

    # --- deployments ---

    def _deployment(self, place: int, entry: DeploymentEntry) -> Serve:
        inputs = self._sources.of("deployments", place)
        equal = self._equal(entry.configuration, inputs)
        there = self._match(place, entry)
        if there is None:
            configuration = self._configuration(entry.configuration, inputs, equal)
            return Serve(entry, configuration, CreateDeployment(), self._rollout(entry))
        current = next((each for each in equal if each.id == there.configuration_id), None)
        if current and there.status != "DEAD":
            kept = KeepDeployment(there.id, there.status)
            return Serve(entry, ReuseConfiguration(entry.configuration, current.id), kept, self._rollout(entry))
        # The server refuses a change to the configuration that is in use: another try takes an equal one.
        step = self._configuration(entry.configuration, inputs, equal, avoid=there.configuration_id)
        change = PatchDeployment(there.id, self._changes(entry, inputs, there, again=bool(current)))
        return Serve(entry, step, change, self._rollout(entry))

    def _rollout(self, entry: DeploymentEntry) -> Rollout | None:
        asked = self._wanted.rollout_of(entry)
        if asked is None or not self._found.watches_rollouts:
            return None
        return Rollout(asked.window_seconds, asked.max_error_rate, asked.min_requests)

    def _changes(
        self, entry: DeploymentEntry, inputs: Mapping[str, Source], there: Deployment, *, again: bool
    ) -> tuple[str, ...]:
        if again:
            return ("it is DEAD: tried again",)
        old = next((each for each in self._found.configurations if each.id == there.configuration_id), None)
        if old is None:
            return ()
        renamed = ("name",) if old.name != self._wanted.full_name(entry.configuration.name) else ()
        return renamed + self._differences(entry.configuration, inputs, old)

    def _match(self, place: int, entry: DeploymentEntry) -> Deployment | None:
        """The deployment that this entry is about."""
        there = self._existing(place, entry) if entry.existing_deployment_id else self._of_this_name(place, entry)
        if there and (other := self._taken.setdefault(there.id, entry.name)) != entry.name:
            self._refuse(
                place, "configuration", f"{other} is about the same deployment {there.id}: give it another name"
            )
        return there

    def _existing(self, place: int, entry: DeploymentEntry) -> Deployment | None:
        id_ = entry.existing_deployment_id
        there = next((each for each in self._found.deployments if each.id == id_), None)
        key = "existing_deployment_id"
        if there is None:
            self._refuse(place, key, f"there is no deployment {id_} in this resource group: leave it out to make one")
        elif there.status in _ENDING or there.target_status in GONE:
            self._refuse(place, key, f"{id_} is {there.status} and cannot be changed any more: leave it out")
        elif _executable(there) != entry.configuration.executable and None not in _executable(there):
            told = "a deployment's executable stays; leave the id out to make another one"
            self._refuse(place, key, f"{id_} is of executable {there.executable_id} ({there.scenario_id}): {told}")
        return there

    def _of_this_name(self, place: int, entry: DeploymentEntry) -> Deployment | None:
        alive = [each for each in self._found.deployments if self._has_name(each, entry)]
        serving = [each for each in alive if each.status != "DEAD" or each.latest_running_configuration_id]
        if len(serving) > 1:
            ids = ", ".join(sorted(each.id for each in serving))
            told = (
                f"several deployments have this name ({ids}): say which as `existing_deployment_id`, or stop the others"
            )
            self._refuse(place, "configuration", told)
        return max(serving or alive, key=_age, default=None)

    def _has_name(self, deployment: Deployment, entry: DeploymentEntry) -> bool:
        name = entry.configuration.name
        return (
            deployment.status not in _ENDING
            and deployment.target_status not in GONE
            and _executable(deployment) == entry.configuration.executable
            and deployment.configuration_name in (name, self._wanted.full_name(name))
        )

    def _refuse(self, place: int, key: str, told: str) -> None:
        self._problems.append(self._project.problem(("deployments", place, key), told))

    # --- destinations ---

    def _destination(self, serve: Serve, name: str) -> SetDestination | KeepDestination:
        there, deployment = self._found.destinations.get(name), serve.entry.name
        if there is None:
            return SetDestination(name, deployment, "there is none yet")
        if isinstance(serve.action, CreateDeployment):
            return SetDestination(name, deployment, "it gets a new deployment")
        differing = differences(there, {**self._found.destination_facts, "URL": self._url(serve.action.id)})
        if differing:
            return SetDestination(name, deployment, f"differs in {', '.join(differing)}")
        return KeepDestination(name, deployment)

    def _url(self, deployment_id: str) -> str:
        there = next(each for each in self._found.deployments if each.id == deployment_id)
        return url_of(there, self._found.base_url)


def _executable(deployment: Deployment) -> tuple[str | None, str | None]:
    return deployment.scenario_id, deployment.executable_id


def _age(each: Execution | Deployment) -> tuple[datetime, str]:
    return each.created_at or _LONG_AGO, each.id
