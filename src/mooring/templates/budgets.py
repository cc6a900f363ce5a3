"""How much may come of a template: a short text can ask for a long value often, and again for what that gives."""

from mooring.templates.errors import TemplateError


class Budget:
    """Counts characters, also for an `outer` budget."""

    def __init__(self, most: int, outer: "Budget | None" = None) -> None:
        self._most = most
        self._left = most
        self._outer = outer

    def take(self, text: str) -> str:
        """The text itself. Raises TemplateError when that was too much."""
        self._left -= len(text)
        if self._left < 0:
            raise TemplateError("", f"comes to more than {self._most} characters: pass large values in files")
        if self._outer is not None:
            self._outer.take(text)
        return text
