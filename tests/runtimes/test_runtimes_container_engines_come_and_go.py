"""An engine that does not answer now may do so later; one that is not installed is none."""

from pathlib import Path

import pytest

from mooring.runtimes.base import ImageAway
from mooring.runtimes.container import detection
from mooring.runtimes.container.detection import Engines

_PROGRAM = """#!/bin/sh
echo asked >> {folder}/asked
test -e {folder}/up && echo amd64
"""


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    """Of one that answers as soon as there is a file `up`."""
    program = tmp_path / "podman"
    program.write_text(_PROGRAM.format(folder=tmp_path))
    program.chmod(0o700)
    return Engines(str(program))


def times_asked(folder: Path) -> int:
    return len((folder / "asked").read_text().splitlines())


def test_one_that_is_not_installed_is_none(tmp_path: Path) -> None:
    assert Engines(str(tmp_path / "podman")).client() is None


def test_one_that_is_away_keeps_nobody_waiting_again_and_again(engines: Engines, tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(ImageAway, match=r"podman\): start it"):
            engines.client()
    assert times_asked(tmp_path) == 1


def test_one_that_comes_back_is_found_and_kept(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "_PAUSE_SECONDS", 0)
    with pytest.raises(ImageAway):
        engines.client()
    (tmp_path / "up").touch()
    found = engines.client()
    assert found is not None
    assert engines.client() is found
    assert times_asked(tmp_path) == 2
