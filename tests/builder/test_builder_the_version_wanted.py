import pytest

from mooring.builder.registry import Entry, ModelVersion, RegisteredModel
from mooring.builder.wanted import Wanted, wanted_version


def entry(
    tagged: dict[int, str] | None = None,
    aliases: dict[str, int] | None = None,
    stages: dict[str, int] | None = None,
    not_ready: frozenset[int] = frozenset(),
) -> Entry:
    newest = tuple(
        ModelVersion("m", version, stage, version not in not_ready) for stage, version in (stages or {}).items()
    )
    marked = tuple(
        ModelVersion("m", version, ready=version not in not_ready, tags={"production": value})
        for version, value in (tagged or {}).items()
    )
    return Entry(RegisteredModel("m", aliases or {}, newest), marked)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (entry(), None),
        (entry(aliases={"production": 1}), Wanted(1, "alias")),
        (entry(aliases={"champion": 1}), None),
        (entry(aliases={"Production": 1}), None),
        (entry(aliases={"production": 1}, tagged={2: "true"}, stages={"Production": 3}), Wanted(1, "alias")),
        (entry(tagged={1: "true"}), Wanted(1, "tag true")),
        (entry(tagged={1: ""}), Wanted(1, "tag ")),
        (entry(tagged={1: "yes", 2: "yes"}), Wanted(2, "tag yes")),
        (entry(tagged={2: "yes", 1: "later"}), Wanted(2, "tag yes")),
        (entry(tagged={9: "x", 10: "x"}), Wanted(10, "tag x")),
        (entry(tagged={1: "true", 2: "false"}), Wanted(1, "tag true")),
        (entry(tagged={1: "False"}), None),
        (entry(tagged={1: " FALSE "}), None),
        (entry(tagged={1: "0"}), None),
        (entry(tagged={1: "no"}), None),
        (entry(tagged={1: "Off"}), None),
        (entry(tagged={1: "nope"}), Wanted(1, "tag nope")),
        (entry(tagged={1: "true"}, stages={"Production": 2}), Wanted(1, "tag true")),
        (entry(tagged={1: "false"}, stages={"Production": 2}), Wanted(2, "stage")),
        (entry(stages={"Production": 2, "Staging": 3}), Wanted(2, "stage")),
        (entry(stages={"Staging": 3, "None": 4}), None),
        (entry(tagged={1: "true", 2: "true"}, not_ready=frozenset({2})), Wanted(1, "tag true")),
        (entry(stages={"Production": 2}, not_ready=frozenset({2})), None),
    ],
)
def test_alias_before_newest_tag_before_stage(given: Entry, wanted: Wanted | None) -> None:
    assert wanted_version(given) == wanted
