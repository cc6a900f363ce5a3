import re

import pytest

from mooring.domain.model_names import url_name


@pytest.mark.parametrize("name", ["iris", "Iris_2.1-x", "a", "A" * 100])
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert url_name(name) == name


@pytest.mark.parametrize(
    "name", ["my model", "Größe", "a?b#c", "日本", ".", "..", "", "a" * 101, "a\nb", "%2e%2e", "a\u0000", "\ud800"]
)
def test_any_name_becomes_safe(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", url_name(name))
    assert url_name(name).strip(".")


def test_no_two_names_share_a_url_even_if_one_is_chosen_to() -> None:
    names = ["my model", "my-model", "my  model", "My model", url_name("my model"), "a" * 101, "a" * 102]

    assert len({url_name(name) for name in names}) == len(names)
