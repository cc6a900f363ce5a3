"""The environment of a container: its variables, and `$(NAME)` as Kubernetes reads it."""

import re
from collections.abc import Iterator, Mapping

from mooring.domain.containers import AllOfSecret, SecretKey, Variable
from mooring.templates.budgets import Budget
from mooring.templates.container_values import flag, refuse_too_much, short_enough, shown, without_nul
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, mapping, required_text, text

_NAME = re.compile(r"[!-<>-~][ -<>-~]{0,999}")  # what is printable, without '='
_MOST_CHARACTERS = 1_000_000


class Expansion:
    """Puts plain variables into texts; all texts together are bounded."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self._budget = Budget(_MOST_CHARACTERS)

    def expand(self, value: str, path: str) -> str:
        """`$(NAME)` becomes the variable's value, `$$` a dollar; what names no variable stays as it is.

        Raises TemplateError for a secret's variable: its value would show in lists of processes, and in the store.
        """
        try:
            return "".join(self._parts(self._budget.take(value)))
        except TemplateError as error:
            raise TemplateError(path, error.problem) from None

    def _parts(self, value: str) -> Iterator[str]:
        position, closes = 0, True
        while (dollar := value.find("$", position, -1)) >= 0:
            yield value[position:dollar]
            sign = value[dollar : dollar + 2]
            position = dollar + 2
            end = value.find(")", position) if sign == "$(" and closes else -1
            closes = closes and (sign != "$(" or end >= 0)  # not looked for again when there is none
            if end >= 0:
                yield self._value(value[position:end])
                position = end + 1
            else:
                yield "$" if sign == "$$" else sign
        yield value[position:]

    def _value(self, name: str) -> str:
        variable = self.variables.get(name)
        if variable is None:
            return f"$({name})"
        if variable.secret is not None:
            raise TemplateError(
                "",
                f"uses $({name}), which is a secret's value and is not written into other texts: "
                f"have the program read the environment variable {name}",
            )
        return self._budget.take(variable.value)


def expansion(container: Mapping[str, Tree], path: str) -> Expansion:
    """With the variables of `env`, each once: of two with one name the later one counts. Raises TemplateError."""
    found = Expansion()
    for where, entry in entries(container, path, "env"):
        variable = _variable(entry, where, found)
        found.variables.pop(variable.name, None)
        found.variables[variable.name] = variable
    refuse_too_much([f"{each.name}={each.value}" for each in found.variables.values()], f"{path}.env")
    return found


def all_of_secrets(container: Mapping[str, Tree], path: str) -> tuple[AllOfSecret, ...]:
    """The secrets of `envFrom`. Raises TemplateError."""
    return tuple(_all_of_secret(entry, where) for where, entry in entries(container, path, "envFrom"))


def _variable(entry: Mapping[str, Tree], path: str, earlier: Expansion) -> Variable:
    name = required_text(entry.get("name"), f"{path}.name")
    if not _NAME.fullmatch(name):
        raise TemplateError(
            f"{path}.name", f"is {shown(name)}; up to 1000 printable characters other than '=' are needed"
        )
    value = without_nul(text(entry.get("value"), f"{path}.value") or "", f"{path}.value")
    source = mapping(entry.get("valueFrom"), f"{path}.valueFrom")
    if not source:
        expanded = earlier.expand(value, f"{path}.value")
        return Variable(name, short_enough(expanded, f"{path}.value"))
    if value:
        raise TemplateError(path, "has both value and valueFrom: give one")
    return Variable(name, secret=_secret_key(source, f"{path}.valueFrom.secretKeyRef"))


def _secret_key(source: Mapping[str, Tree], path: str) -> SecretKey:
    reference = mapping(source.get("secretKeyRef"), path)
    return SecretKey(
        secret=required_text(reference.get("name"), f"{path}.name"),
        key=required_text(reference.get("key"), f"{path}.key"),
        optional=flag(reference.get("optional"), f"{path}.optional"),
    )


def _all_of_secret(entry: Mapping[str, Tree], path: str) -> AllOfSecret:
    reference = dict(_reference(entry, path))
    prefix = text(entry.get("prefix"), f"{path}.prefix") or ""
    if prefix and not _NAME.fullmatch(prefix):
        raise TemplateError(
            f"{path}.prefix", f"is {shown(prefix)}; up to 1000 printable characters other than '=' are needed"
        )
    return AllOfSecret(
        secret=required_text(reference.get("name"), f"{path}.secretRef.name"),
        prefix=prefix,
        optional=flag(reference.get("optional"), f"{path}.secretRef.optional"),
    )


def _reference(entry: Mapping[str, Tree], path: str) -> Iterator[tuple[str, Tree]]:
    """`name` may stand beside an empty `secretRef`: so are the documentation's samples indented."""
    if "name" in entry:
        yield "name", entry["name"]
    yield from mapping(entry.get("secretRef"), f"{path}.secretRef").items()
