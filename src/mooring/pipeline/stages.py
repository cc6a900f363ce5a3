"""Several stages in one file: what they share, and what each of them changes."""

from mooring.pipeline.json_tree import Node
from mooring.pipeline.refused import Problem, Refused

_STAGES = "stages"


def choose(document: Node, stage: str | None) -> Node:
    """What the file says for this stage, `stages` itself left out. Raises Refused for one that it does not have.

    A stage's objects go into the shared ones key by key; lists whose entries have a key (a configuration's name
    counts as one) entry by entry; everything else takes the shared value's place.
    """
    if not isinstance(document.value, dict):
        raise Refused([Problem("an object is needed here", document.line)])
    shared = Node(document.line, {key: node for key, node in document.value.items() if key != _STAGES})
    stages = document.value.get(_STAGES)
    if stages is None:
        if stage is None:
            return shared
        raise Refused(f"there is no stage {stage}: the file has no `stages`. Leave --stage out, or add it")
    if not isinstance(stages.value, dict) or not all(isinstance(each.value, dict) for each in stages.value.values()):
        raise Refused([Problem("an object with an object for each stage is needed here", stages.line, _STAGES)])
    names = ", ".join(stages.value) or "none yet"
    if stage is None:
        raise Refused([Problem(f"say which stage with --stage: {names}", stages.line, _STAGES)])
    if stage not in stages.value:
        raise Refused([Problem(f"there is no stage {stage}: it has {names}", stages.line, _STAGES)])
    return _merge(shared, stages.value[stage])


def _merge(base: Node, over: Node) -> Node:
    match base.value, over.value:
        case dict(), dict():
            merged = dict(base.value)
            for key, node in over.value.items():
                merged[key] = _merge(merged[key], node) if key in merged else node
            return Node(over.line, merged)
        case list(), list():
            return Node(over.line, _merged_entries(base.value, over.value))
    return over


def _merged_entries(base: list[Node], over: list[Node]) -> list[Node]:
    entries = list(base)
    places = {name: place for place, entry in enumerate(base) if (name := _name(entry))}
    for entry in over:
        place = places.get(_name(entry) or "")
        if place is None:
            entries.append(entry)
        else:
            entries[place] = _merge(entries[place], entry)
    return entries


def _name(entry: Node) -> str | None:
    """What an entry of a list is told apart by."""
    configuration = entry.child("configuration")
    found = entry.child("key") or (configuration and configuration.child("name"))
    return found.value if found and isinstance(found.value, str) else None
