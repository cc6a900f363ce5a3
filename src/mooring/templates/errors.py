"""What is wrong with a template, in words for the person who wrote it."""


class TemplateError(Exception):
    """The message names the field's path, the problem, and what is allowed."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem
