"""A document in a file of an application's folder."""

from dataclasses import dataclass

from mooring.templates.executable_template import ExecutableTemplate


@dataclass(frozen=True)
class FoundTemplate:
    """A template, or what is wrong with it. A file that cannot be read at all is one of these without a name."""

    file: str
    kind: str
    name: str
    template: ExecutableTemplate | None = None
    problem: str = ""
