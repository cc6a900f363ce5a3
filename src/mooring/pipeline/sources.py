"""What the file's words for inputs mean: an artifact of the file, or what one of its executions makes."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from mooring.pipeline.found import Found
from mooring.pipeline.project import Place, Project, configurations
from mooring.pipeline.schema import ConfigurationEntry
from mooring.pipeline.steps import ArtifactOf, OutputOf, Source

if TYPE_CHECKING:
    from mooring.pipeline.refused import Problem


class Sources:
    """Of one file. Whatever has no meaning is told in `problems`."""

    def __init__(self, project: Project, found: Found) -> None:
        self.problems: list[Problem] = []
        self._project = project
        self._artifacts = {each.key for each in project.wanted.artifacts}
        self._outputs: dict[str, list[OutputOf]] = {}
        for execution in project.wanted.executions:
            executable = found.executables.get(execution.configuration.executable)
            for slot in (executable.output_artifacts if executable else None) or ():
                output = OutputOf(execution.name, slot.name)
                self._outputs.setdefault(slot.name, []).append(output)
                self._outputs[f"{execution.name}/{slot.name}"] = [output]
        self._inputs = {place: self._meanings(place, entry) for place, entry in configurations(project.wanted)}

    def of(self, kind: str, place: int) -> Mapping[str, Source]:
        """By input, for the entry at this place of `executions` or `deployments`."""
        return self._inputs[(kind, place, "configuration")]

    def needed_of(self, execution: str) -> set[OutputOf]:
        """What of this execution goes into something."""
        everything = [source for inputs in self._inputs.values() for source in inputs.values()]
        return {each for each in everything if isinstance(each, OutputOf) and each.execution == execution}

    def order(self) -> list[int]:
        """The places of the executions, those first that others need."""
        entries = self._project.wanted.executions
        graph = {each.name: needs(self.of("executions", place)) for place, each in enumerate(entries)}
        try:
            names = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            told = f"they wait for each other: {' → '.join(error.args[1])}"
            self.problems.append(self._project.problem(("executions",), told))
            return []
        places = {each.name: place for place, each in enumerate(entries)}
        return [places[name] for name in names]

    def _meanings(self, place: Place, entry: ConfigurationEntry) -> dict[str, Source]:
        found = {}
        for number, (key, word) in enumerate(entry.sources.items()):
            source = self._meaning((*place, "input_artifact_bindings", number), word)
            if source:
                found[key] = source
        return found

    def _meaning(self, place: Place, word: str) -> Source | None:
        if word in self._artifacts:
            return ArtifactOf(word)
        outputs = self._outputs.get(word, [])
        if len(outputs) == 1:
            return outputs[0]
        if outputs:
            ways = ", ".join(f"{each.execution}/{each.name}" for each in outputs)
            told = f"several executions make {word}: say which as `value` ({ways})"
        else:
            known = ", ".join(sorted(self._artifacts | self._outputs.keys())) or "none"
            told = (
                f"{word} is neither the key of an artifact nor an output of an execution of this file (known: {known})"
            )
        self.problems.append(self._project.problem(place, told))
        return None


def needs(inputs: Mapping[str, Source]) -> frozenset[str]:
    """The executions that have to complete before."""
    return frozenset(each.execution for each in inputs.values() if isinstance(each, OutputOf))
