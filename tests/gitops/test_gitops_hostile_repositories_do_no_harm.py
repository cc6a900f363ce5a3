"""Whatever a repository holds, nothing of it is executed, nothing is written elsewhere, and the next look works."""

import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from mooring.gitops.errors import GitError
from mooring.gitops.mirror import Mirror
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from tests.git_server import Repo
from tests.templates.samples import SERVING

_FILE, _FOLDER, _LINK, _MODULE = b"100644", b"40000", b"120000", b"160000"
Entry = tuple[bytes, bytes, str]


@pytest.fixture
def good(repo: Repo) -> Repo:
    repo.commit({"templates/serve.yaml": SERVING})
    return repo


@pytest.fixture(autouse=True)
def nothing_elsewhere(tmp_path: Path, reader: Repositories, good: Repo) -> Iterator[None]:
    """Of all folders, only that of the mirrors changes; in these, nothing but what git keeps."""
    yield
    assert {path.name for path in tmp_path.iterdir()} == {"served", "repositories"}
    assert not list(reader.folder.glob("git-*")), "credentials are left"
    for mirror in (path for path in reader.folder.iterdir() if path.is_dir()):
        assert {path.name for path in mirror.iterdir()} <= {
            *("HEAD", "config", "objects", "refs", "shallow", "branches", "info", "hooks", "packed-refs"),
        }
        assert not [path for path in mirror.rglob("*") if path.is_symlink() or path.suffix == ".yaml"]


def _write(repo: Repo, kind: str, content: bytes) -> str:
    done = subprocess.run(
        ["git", "hash-object", "-w", "--literally", "--stdin", "-t", kind],
        cwd=repo.folder,
        input=content,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def _tree(repo: Repo, entries: Iterable[Entry]) -> str:
    return _write(repo, "tree", b"".join(b"%b %b\0%b" % (m, n, bytes.fromhex(o)) for m, n, o in entries))


def _publish(repo: Repo, tree: str, branch: str = "evil") -> None:
    repo.git("update-ref", f"refs/heads/{branch}", repo.git("commit-tree", tree, "-m", "x"))


def _names(reader: Repositories, repo: Repo, branch: str = "evil", path: str = "") -> list[str]:
    return [item.name for item in reader.read(repo.url, branch, path, None)[1]]


def _still_works(reader: Repositories, repo: Repo) -> None:
    assert _names(reader, repo, "main", "templates") == ["greeter"]


@pytest.mark.parametrize(
    "name",
    [b"../x.yaml", b"..", b".", b".git", b".GIT", b"git~1", b"/etc/x.yaml", b"a/b.yaml", b".git\xe2\x80\x8c", b""],
)
def test_names_that_lead_elsewhere(reader: Repositories, good: Repo, name: bytes) -> None:
    blob = _write(good, "blob", SERVING.encode())
    for entry in ((_FILE, name, blob), (_FOLDER, name, _tree(good, [(_FILE, b"x.yaml", blob)]))):
        _publish(good, _tree(good, [entry]))
        with pytest.raises(GitError):
            _names(reader, good)
    _still_works(reader, good)


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb.yaml",
        b"\x1b[2J.yaml",
        b"\xff\xfe.yaml",
        "ü\u202e.yaml".encode(),
        b"-rf.yaml",
        b"--output=x.yaml",
        b"$(touch x).yaml",
        b"x" * 5000 + b".yaml",
    ],
)
def test_odd_names_are_names(reader: Repositories, good: Repo, name: bytes) -> None:
    blob = _write(good, "blob", SERVING.encode())
    _publish(good, _tree(good, [(_FOLDER, b"t", _tree(good, [(_FILE, name, blob)]))]))
    _, (found,) = reader.read(good.url, "evil", "t", None)
    assert (found.name, found.file) == ("greeter", name.decode(errors="replace"))


def test_names_that_differ_in_case_only(reader: Repositories, good: Repo) -> None:
    blobs = [_write(good, "blob", SERVING.replace("greeter", f"greeter{i}").encode()) for i in range(2)]
    _publish(good, _tree(good, [(_FILE, b"A.yaml", blobs[0]), (_FILE, b"a.yaml", blobs[1])]))
    assert _names(reader, good) == ["greeter0", "greeter1"]


def test_hooks_filters_and_links_do_nothing(reader: Repositories, good: Repo, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"#!/bin/sh\ntouch {mark}\n"
    good.commit(
        {
            "hooks/post-checkout": script,
            "hooks/reference-transaction": script,
            ".gitattributes": "* filter=evil diff=evil export-subst\n",
            ".gitconfig": f'[filter "evil"]\n smudge = touch {mark}\n[core]\n fsmonitor = touch {mark}\n',
            "config": f"[core]\n sshCommand = touch {mark}\n",
            "HEAD": "ref: refs/heads/main\n",
        }
    )
    for number in range(10):
        (good.folder / f"link{number}.yaml").symlink_to(f"link{(number + 1) % 10}.yaml")
    (good.folder / "loop").symlink_to(".")
    good.commit({})
    assert _names(reader, good, "main") == ["greeter"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("settings", "is_known_to_git"),
    [
        ('url = "--upload-pack=touch {mark}"', True),
        ('url = "-u./x"', True),
        ("url = ./x\n update = !touch {mark}", True),
        ('url = "ext::touch {mark}"', False),
        ("url = ../../../x", False),
        ("url = file:///", False),
    ],
)
def test_submodules_are_never_fetched(
    reader: Repositories, good: Repo, settings: str, is_known_to_git: bool, tmp_path: Path
) -> None:
    modules = f'[submodule "x"]\n path = sub\n {settings.format(mark=tmp_path / "mark")}\n'
    blob, serving = _write(good, "blob", modules.encode()), _write(good, "blob", SERVING.encode())
    entries = [(_FILE, b".gitmodules", blob), (_FILE, b"a.yaml", serving), (_MODULE, b"sub", "1" * 40)]
    _publish(good, _tree(good, entries))
    if is_known_to_git:
        with pytest.raises(GitError, match="gitmodules"):
            _names(reader, good)
    else:
        assert _names(reader, good) == ["greeter"]
    _still_works(reader, good)


def test_a_few_trees_that_unfold_to_a_billion_files(reader: Repositories, good: Repo) -> None:
    blob = _write(good, "blob", SERVING.encode())
    tree = _tree(good, [(_FILE, b"%d.yaml" % i, blob) for i in range(10)])
    for _ in range(8):
        tree = _tree(good, [(_FOLDER, b"%d" % i, tree) for i in range(10)])
    _publish(good, tree)
    begun = time.monotonic()
    with pytest.raises(GitError, match="too many files"):
        _names(reader, good)
    assert time.monotonic() - begun < 20
    assert _names(reader, good, path="/".join("00000000")) == ["greeter"] * 10


def test_a_hundred_thousand_files(reader: Repositories, good: Repo) -> None:
    blob, serving = _write(good, "blob", b"x"), _write(good, "blob", SERVING.encode())
    many = _tree(good, sorted((_FILE, b"%06d.txt" % i, blob) for i in range(100_000)))
    _publish(good, _tree(good, [(_FOLDER, b"many", many), (_FILE, b"serve.yaml", serving)]))
    assert _names(reader, good) == ["greeter"]
    yaml = _tree(good, sorted((_FILE, b"%06d.yaml" % i, serving) for i in range(2001)))
    _publish(good, _tree(good, [(_FOLDER, b"many", yaml)]))
    with pytest.raises(GitError, match="2001 YAML files; at most 2000"):
        _names(reader, good)


def test_a_small_pack_with_a_huge_file(reader: Repositories, good: Repo) -> None:
    good.commit({"templates/zeros.yaml": "0" * 50_000_000})
    problems = {item.file: item.problem for item in reader.read(good.url, "main", "templates", None)[1]}
    assert problems == {"serve.yaml": "", "zeros.yaml": "is larger than 1 MiB"}


def test_what_a_killed_git_left_behind_is_in_nobodys_way(reader: Repositories, good: Repo) -> None:
    _still_works(reader, good)
    (mirror,) = (path for path in reader.folder.iterdir() if path.is_dir())
    left = ["refs/mooring/wanted.lock", "shallow.lock", "config.lock", "objects/pack/tmp_pack_x"]
    for name in left:
        (mirror / name).write_bytes(b"x")
    good.commit({})
    _still_works(reader, good)
    assert not [name for name in left if (mirror / name).exists()]


@pytest.mark.parametrize("seen", [1, 2])
def test_what_was_too_large_does_not_pile_up(good: Repo, reader: Repositories, seen: int) -> None:
    good.git("config", "core.compression", "0")
    (good.folder / "large.bin").write_bytes(b"x" * 5_000_000)
    good.commit({})
    small = Repositories(reader.folder, GitProgram(reader.folder, seconds=30, most_bytes=1_000_000), reader.access)
    for _ in range(seen):
        with pytest.raises(GitError, match="larger than allowed"):
            small.read(good.url, "main", "templates", None)
    assert sum(path.stat().st_size for path in reader.folder.rglob("*") if path.is_file()) < 1_500_000


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch%20{mark}/x",
        "ssh://git@127.0.0.1:1/`touch {mark}`",
        "-oProxyCommand=touch {mark}:x",
        "git@-oProxyCommand=touch {mark}:x",
        "--upload-pack=touch {mark}",
        "ext::touch {mark}",
        "ext::sh -c touch% {mark}",
        "fd::0",
        "https::ext::touch {mark}",
        "http::file://{repo}",
        "file://{repo}",
        "{repo}",
        "{repo}/.git",
        ".",
        "..",
        "~",
        "http://127.0.0.1:1/\n.yaml",
        "ftp://127.0.0.1:1/x",
        "git://127.0.0.1:1/x",
        "bundle.pack",
    ],
)
def test_no_url_runs_or_opens_anything(reader: Repositories, good: Repo, tmp_path: Path, url: str) -> None:
    given = url.format(mark=tmp_path / "mark", repo=good.folder)
    with pytest.raises(GitError):
        reader.read(given, "main", "templates", None)
    with pytest.raises(GitError):  # nor if it were not refused before git sees it
        Mirror(reader.folder / "direct", reader.git).fetch(given, "main")


@pytest.mark.parametrize(
    "revision",
    [
        "--upload-pack=touch {mark}",
        "-u touch {mark}",
        "main:refs/heads/evil",
        "main:{mark}",
        "*",
        "refs/heads/*",
        "main^{{/x}}",
        "main..evil",
        "@{{-1}}",
        "main\nevil",
        "$(touch {mark})",
        "",
        ":",
        "^main",
        "../../HEAD",
    ],
)
def test_no_revision_is_more_than_a_name(reader: Repositories, good: Repo, tmp_path: Path, revision: str) -> None:
    try:
        names = _names(reader, good, revision.format(mark=tmp_path / "mark"), "templates")
    except GitError:
        names = []
    assert names in ([], ["greeter"])
    _still_works(reader, good)


PATHS: Sequence[str] = ("../..", "/etc", "--output=x", "templates/../..", ":/", "templates\n", "templates/serve.yaml")


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(reader: Repositories, good: Repo, path: str) -> None:
    with pytest.raises(GitError, match="is no folder"):
        reader.read(good.url, "main", path, None)
