"""The environment of a stand-in is made once per content of its requirements, and is complete or absent."""

import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mooring.domain.stand_ins import StandIn
from mooring.runtimes.base import ImageAway, ImageError, ImageRequest
from mooring.runtimes.sandbox import bubblewrap
from mooring.runtimes.sandbox.building import Building
from mooring.runtimes.sandbox.environments import Environment, Environments
from mooring.runtimes.sandbox.uv import Uv
from tests.runtimes.sandboxes import IMAGE, Sandboxes, need_bubblewrap


def wheel(folder: Path, name: str = "thing", version: str = "1.0") -> Path:
    """A package that needs no index."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def prepared(environments: Environments, source: Path, requirements: str | None = None) -> Environment:
    return environments.prepare(StandIn(source, requirements=requirements), bubblewrap.isolation())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").write_text(f"./{wheel(source).name}\n")
    return source


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    need_bubblewrap()
    return Environments(tmp_path / "environments", tmp_path / "uv", 120)


def test_what_is_required_is_there_inside(sandboxes: Sandboxes) -> None:
    (sandboxes.source / "requirements.txt").write_text(f"./{wheel(sandboxes.source).name}\n")
    sandboxes.image = sandboxes.harbour.runtime.prepare(ImageRequest(IMAGE))
    program = "import shutil, sys, thing; print(thing.VERSION, thing.__file__, shutil.which('thing'), sys.prefix)"
    version, module, script, prefix = sandboxes.run(sandboxes.spec(program))[0].split()
    assert (version, script, prefix) == ("1.0", "/opt/environment/bin/thing", "/opt/environment")
    assert module.startswith("/opt/environment/lib/")


def test_modules_are_compiled(source: Path, environments: Environments) -> None:
    made = prepared(environments, source)
    assert list(made.folder.rglob("__pycache__/thing.*.pyc"))


def test_the_same_content_is_made_once(
    source: Path, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    run = Uv.run

    def counted(uv: Uv, words: Sequence[str], *, folder: Path, building: Building | None = None) -> None:
        calls.append(words[0])
        run(uv, words, folder=folder, building=building)

    monkeypatch.setattr(Uv, "run", counted)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: prepared(environments, source), range(4)))
    assert len(made) == 1
    assert calls == ["venv", "pip"]
    assert environments.find(made.pop().key)


def test_other_content_is_another_environment(source: Path, environments: Environments) -> None:
    first = prepared(environments, source)
    (source / "requirements.txt").write_text("# nothing\n")
    second = prepared(environments, source)
    assert first.key != second.key
    assert environments.find(first.key)


def test_the_id_of_an_image_changes_with_what_it_runs(sandboxes: Sandboxes) -> None:
    first = sandboxes.image
    assert sandboxes.harbour.runtime.prepare(ImageRequest(IMAGE)) == first
    (sandboxes.source / "requirements.txt").write_text("# other\n")
    assert sandboxes.harbour.runtime.prepare(ImageRequest(IMAGE)) != first


def test_what_cannot_be_had_is_explained_and_leaves_nothing(source: Path, environments: Environments) -> None:
    (source / "requirements.txt").write_text("./there-is-none-1.0-py3-none-any.whl\n")
    with pytest.raises(ImageError, match=r"cannot be made from .*requirements.txt: .*there-is-none") as raised:
        prepared(environments, source)
    assert not isinstance(raised.value, ImageAway)
    kept = [path.name for path in environments._folder.iterdir() if not path.name.endswith(".lock")]
    assert kept == []


def test_an_index_that_is_away_is_away(
    source: Path, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:open-sesame@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    (source / "requirements.txt").write_text("some-package==1\n")
    with pytest.raises(ImageAway) as raised:
        prepared(environments, source)
    assert "open-sesame" not in str(raised.value)


def test_what_a_killed_maker_has_left_does_not_count(source: Path, environments: Environments) -> None:
    made = prepared(environments, source)
    left = made.folder.with_name(f".{made.key}.making")
    made.folder.rename(left)
    assert environments.find(made.key) is None
    assert prepared(environments, source).folder.is_dir()
    assert not left.exists()


def test_requirements_that_were_named_have_to_be_there(source: Path, environments: Environments) -> None:
    with pytest.raises(ImageError, match=r"other\.txt is not there"):
        prepared(environments, source, requirements="other.txt")
