import re

import pytest

from mooring.domain.generated_names import new_name


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("My_Templates", "my-templates"),
        ("a--b", "a-b"),
        ("x", "thing-x"),
        ("", "thing"),
        ("日本", "thing"),
        ("-a-", "thing-a"),
        ("templates." + "y" * 99, "templates-" + "y" * 10),
    ],
)
def test_a_name_is_like_the_wish(wish: str, name: str) -> None:
    assert new_name(wish, (), noun="thing", longest=20) == name


def test_a_name_is_never_one_that_is_taken() -> None:
    taken: set[str] = set()
    for _ in range(120):
        taken.add(new_name("a" * 18 + "-bcd", taken, noun="thing", longest=20))
    assert len(taken) == 120
    assert all(re.fullmatch(r"[a-z0-9-]{3,20}", name) for name in taken)
    assert {"a" * 18 + "-b", "a" * 18 + "-2", "a" * 16 + "-120"} <= taken
