"""The file held against the executables: what a server would refuse later is said before anything is touched."""

from collections.abc import Iterator

from mooring.client.scenarios import Executable
from mooring.pipeline.found import Found
from mooring.pipeline.project import Place, Project, configurations
from mooring.pipeline.refused import Problem
from mooring.pipeline.schema import LONGEST_NAME, ConfigurationEntry
from mooring.pipeline.sources import Sources


def problems(project: Project, found: Found, sources: Sources) -> Iterator[Problem]:
    """What cannot work."""
    for place, configuration in configurations(project.wanted):
        executable = found.executables.get(configuration.executable)
        if len(name := project.wanted.full_name(configuration.name)) > LONGEST_NAME:
            told = f"with the pipeline it is {len(name)} characters long, and {LONGEST_NAME} at most are possible"
            yield project.problem((*place, "name"), told)
        if executable is None:
            scenario, id_ = configuration.executable
            told = f"there is no {id_} in scenario {scenario}: has its application been synced?"
            yield project.problem((*place, "executable_id"), told)
        else:
            yield from _misfits(project, place, configuration, executable)
    for number, execution in enumerate(project.wanted.executions):
        if execution.wait_for_status != "COMPLETED" and sources.needed_of(execution.name):
            told = "something in this file takes what it makes: it has to be COMPLETED"
            yield project.problem(("executions", number, "wait_for_status"), told)


def _misfits(
    project: Project, place: Place, configuration: ConfigurationEntry, executable: Executable
) -> Iterator[Problem]:
    serves = place[0] == "deployments"
    if executable.deployable is not serves:
        told = "runs once: put it under `executions`" if serves else "serves: put it under `deployments`"
        yield project.problem((*place, "executable_id"), f"{executable.id} {told}")
    needed = {each.name for each in executable.parameters or () if each.default is None}
    if missing := sorted(needed - configuration.parameters.keys()):
        told = f"{executable.id} also needs a value for {', '.join(missing)}"
        yield project.problem((*place, "parameter_bindings"), told)


def warnings(project: Project, found: Found) -> Iterator[str]:
    """What has no effect."""
    wanted = project.wanted
    asks = [each.name for each in wanted.deployments if wanted.rollout_of(each)]
    if asks and not found.watches_rollouts:
        yield f"rollout: this server cannot take a change back; if it fails, {', '.join(asks)} stays as it is then"
    for _, configuration in configurations(project.wanted):
        executable = found.executables.get(configuration.executable)
        if executable is None:
            continue
        known = {each.name for each in executable.parameters or ()}
        inputs = {each.name for each in executable.input_artifacts or ()}
        if extra := sorted(configuration.parameters.keys() - known):
            yield f"{configuration.name}: {executable.id} has no parameter {', '.join(extra)}"
        if extra := sorted(configuration.sources.keys() - inputs):
            yield f"{configuration.name}: {executable.id} has no input {', '.join(extra)}"
