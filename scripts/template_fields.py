"""Tables of the fields of templates for `docs/templates.md`: which are used, which are not, which are refused."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from mooring.templates.containers import CONTAINER, PROBE, VOLUMES
from mooring.templates.fields import Fields, ListOf, Rule
from mooring.templates.serving_template import BODY
from mooring.templates.workflow_fields import SPEC, STEP, TEMPLATE

_SECTIONS: Mapping[str, tuple[str, Rule]] = {
    "ServingTemplate": ("spec.template", BODY),
    "WorkflowTemplate": ("spec", SPEC),
    "A template of a workflow": ("templates[]", TEMPLATE),
    "A step": ("step", STEP),
    "A container": ("container", CONTAINER),
    "A probe": ("probe", PROBE),
    "A volume": ("volumes[]", VOLUMES),
}


def field_tables() -> Iterator[str]:
    """The lines of all sections. What several places have in common has a section that they lead to."""
    for title, (path, rule) in _SECTIONS.items():
        yield from ("", f"## {title}", "", "| in | field | what becomes of it |", "|---|---|---|")
        yield from _rows(path, _fields(rule))


def _rows(path: str, rule: Fields) -> Iterator[str]:
    """One row for all fields of which the same is true; those that have fields themselves follow."""
    below = {_spelt(name, inner): inner for name, inner in rule.known.items()}
    yield from _row(path, [name for name, inner in below.items() if not _section_of(inner)], "used")
    for name, inner in below.items():
        if _section_of(inner):
            yield from _row(path, [name], _link(inner))
    for reasons, words in ((rule.without_effect, "without effect"), (rule.refused, "refused")):
        for reason, fields in groupby(sorted(reasons, key=reasons.__getitem__), key=reasons.__getitem__):
            yield from _row(path, list(fields), f"{words}: {reason.removeprefix('has no effect: ')}")
    for name, inner in below.items():
        if inner is not None and not _section_of(inner):
            yield from _rows(f"{path}.{name}", _fields(inner))


def _row(path: str, fields: list[str], meaning: str) -> Iterator[str]:
    if fields:
        yield f"| `{path}` | {', '.join(f'`{field}`' for field in fields)} | {meaning} |"


def _section_of(rule: Rule) -> str:
    """The section that tells the fields of this rule; empty when there is none."""
    if rule is None:
        return ""
    fields = _fields(rule)
    for title, (_, shown) in _SECTIONS.items():
        if all(name in fields.known and fields.known[name] is inner for name, inner in _fields(shown).known.items()):
            return title
    return ""


def _link(rule: Rule) -> str:
    title = _section_of(rule)
    more = [name for name in _fields(rule).known if name not in _fields(_SECTIONS[title][1]).known]
    link = f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    return f"{link}, and {', '.join(f'`{name}`' for name in more)}" if more else link


def _spelt(name: str, rule: Rule) -> str:
    return f"{name}[]" if isinstance(rule, ListOf) else name


def _fields(rule: Rule) -> Fields:
    match rule:
        case ListOf(item):
            return item
        case Fields():
            return rule
    return Fields({})
