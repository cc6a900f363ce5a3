"""Building a package runs its author's program: it sees its stand-in, the index and nothing else of this machine."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from mooring.domain.stand_ins import StandIn
from mooring.runtimes.base import ImageError
from mooring.runtimes.sandbox import bubblewrap, requirements
from mooring.runtimes.sandbox.environments import Environment, Environments
from tests.runtimes.sandboxes import need_bubblewrap

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "spy"
version = "1.0"
"""
BACKEND = """
import json, os, zipfile
def look(path):
    try:
        return sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()
    except OSError as error:
        return type(error).__name__
def write(path):
    try:
        open(path, "w").write("x")
        return "written"
    except OSError as error:
        return type(error).__name__
def build_wheel(folder, config_settings=None, metadata_directory=None):
    seen = {path: look(path) for path in READ} | {f"to {path}": write(path) for path in WRITE}
    seen["variables"] = sorted(os.environ)
    about, name = "spy-1.0.dist-info", "spy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("seen.json", json.dumps(seen))
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\\nName: spy\\nVersion: 1.0\\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{about}/RECORD", "")
    return name
"""


def package(folder: Path, read: list[Path], write: list[Path]) -> None:
    """An archive whose building tries to read and to write these."""
    program = BACKEND.replace("READ", repr([*map(str, read)])).replace("WRITE", repr([*map(str, write)]))
    with tarfile.open(folder / "spy-1.0.tar.gz", "w:gz") as archive:
        about = "Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n"
        for name, text in (("pyproject.toml", PROJECT), ("backend.py", program), ("PKG-INFO", about)):
            entry = tarfile.TarInfo(f"spy-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    (folder / "requirements.txt").write_text("./spy-1.0.tar.gz\n")


class Yard:
    """An installation's home with a secret in it, and a stand-in beside it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.source = folder / "source"
        self.secret = self.home / "keys" / "key"
        self.secret.parent.mkdir(parents=True)
        self.secret.write_text("the key")
        self.source.mkdir()

    def prepare(self, source: Path | None = None) -> Environment:
        environments = Environments(self.home / "environments", self.home / "uv", 120, [self.home])
        return environments.prepare(StandIn(source or self.source), bubblewrap.isolation())


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    need_bubblewrap()
    return Yard(tmp_path)


def seen(environment: Environment) -> dict[str, object]:
    """What the build has found."""
    found = json.loads(next(environment.folder.rglob("seen.json")).read_text())
    assert isinstance(found, dict)
    return found


def test_a_build_sees_its_stand_in_and_nothing_of_ours(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEBODYS_PASSWORD", "open-sesame")
    target = yard.home / "written"
    package(yard.source, [yard.secret, yard.source, Path("/etc/shadow")], [target, yard.source / "file"])
    found = seen(yard.prepare())
    assert found[str(yard.secret)] == found["/etc/shadow"] == "FileNotFoundError"
    assert found[str(yard.source)] == ["requirements.txt", "spy-1.0.tar.gz"]
    assert found[f"to {yard.source / 'file'}"] == "OSError"  # a read-only file system
    assert not target.exists()
    assert not (yard.source / "file").exists()
    assert "SOMEBODYS_PASSWORD" not in str(found["variables"])


def test_the_home_is_hidden_also_within_the_stand_in(yard: Yard) -> None:
    around = yard.home.parent
    package(around, [yard.secret, yard.home], [])
    found = seen(yard.prepare(around))
    assert found[str(yard.secret)] == "FileNotFoundError"
    assert found[str(yard.home)] == ["environments", "uv"]


def test_the_operators_folder_of_packages_is_seen(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = yard.home.parent / "packages"
    packages.mkdir()
    package(packages, [packages], [packages / "file"])
    (yard.source / "requirements.txt").write_text("spy\n")
    monkeypatch.setenv("UV_FIND_LINKS", str(packages))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    found = seen(yard.prepare())
    assert found[str(packages)] == ["requirements.txt", "spy-1.0.tar.gz"]
    assert not (packages / "file").exists()


def test_a_build_does_not_choose_the_python_that_is_shown_later(yard: Yard) -> None:
    package(yard.source, [], [yard.home / "environments"])
    program = "import glob\nfor path in glob.glob(PATTERN): open(path, 'w').write('home = /root/bin\\n')\n"
    pattern = str(yard.home / "environments" / ".*.making" / "pyvenv.cfg")
    with tarfile.open(yard.source / "spy-1.0.tar.gz") as archive:
        files = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    files["spy-1.0/backend.py"] += program.replace("PATTERN", repr(pattern)).encode()
    with tarfile.open(yard.source / "spy-1.0.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    made = yard.prepare()
    assert (made.folder / "pyvenv.cfg").read_text() == "home = /root/bin\n"
    assert made.base_prefix != "/root"


@pytest.mark.parametrize(
    "line",
    [
        *("-r /etc/shadow", "-r/etc/shadow", "--requirement other.txt", "-c limits.txt", "-e .", "--editable=."),
        *("/etc/shadow", "thing @ file:///srv/thing", "file:///srv/thing", "../thing", "lib/../../thing", ".."),
        *("--find-links=/srv", "--find-links ../srv", "-f/srv", "-f file:///srv", "--index-url file:///srv"),
        *("~/thing", "thing \\\n  @ file:/srv/thing", "file://localhost/srv"),
    ],
)
def test_lines_that_lead_out_are_refused_in_words(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"first==1\n{line}\n")
    with pytest.raises(ImageError, match=r"requirements\.txt cannot be used: the line .* (names other|leads out)"):
        requirements.read(path, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        *("numpy==1.2 ; python_version < '3.13'", "./lib/thing-1.0-py3-none-any.whl", ".", "--find-links ./wheels"),
        *("thing @ https://example.com/a/b.whl", "--index-url https://me:word@example.com/simple/", "# -r other.txt"),
        *(
            "thing[extra]>=1,<2 # see ../notes",
            "thing @ git+https://example.com/a.git@v1#subdirectory=b",
            "-i https://x/y",
        ),
    ],
)
def test_other_lines_are_as_they_were(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"{line}\n")
    assert requirements.read(path, tmp_path).decode() == f"{line}\n"


def test_a_link_to_a_file_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the key")
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").symlink_to("../secret")
    with pytest.raises(ImageError, match="leads out of the stand-in's folder") as raised:
        requirements.find(StandIn(source))
    assert "the key" not in str(raised.value)
