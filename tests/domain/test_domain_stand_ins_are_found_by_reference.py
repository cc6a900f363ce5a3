"""A stand-in is found however the image's reference is written."""

from pathlib import Path

import pytest

from mooring.domain.stand_ins import StandIn, StandIns


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ("team/model:1", "team/model:1"),
        ("team/model:1", "docker.io/team/model:1"),
        ("docker.io/library/python:3.11", "python:3.11"),
        ("python", "index.docker.io/library/python:3.11"),
        ("team/model", "team/model:2"),
        ("team/model", "team/model"),
        ("team/model:latest", "team/model"),
        ("team/model", "team/model:latest"),
        ("team/model:1", "team/model:1@sha256:abc"),
        ("team/model", "team/model@sha256:abc"),
        ("host:5000/team/model", "host:5000/team/model:7"),
        ("host:5000/model:7", " host:5000/model:7 "),
    ],
)
def test_it_stands_for(given: str, image: str) -> None:
    stand_in = StandIn(Path("/here"))
    assert StandIns({given: stand_in}).find(image) is stand_in


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ("team/model:1", "team/model:2"),
        ("team/model:1", "team/model"),
        ("team/model", "other/model"),
        ("team/model", "ghcr.io/team/model"),
        ("host:5000/model", "host:5001/model"),
        ("host", "host:5000/model"),
    ],
)
def test_it_does_not_stand_for(given: str, image: str) -> None:
    assert StandIns({given: StandIn(Path("/here"))}).find(image) is None


def test_the_exact_one_comes_first() -> None:
    any_tag, exact = StandIn(Path("/any")), StandIn(Path("/exact"))
    both = StandIns({"team/model": any_tag, "team/model:2": exact})
    assert (both.find("team/model:2"), both.find("team/model:3")) == (exact, any_tag)
