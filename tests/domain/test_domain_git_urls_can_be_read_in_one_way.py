"""What reaches git as an argument is a url, a revision and a folder, whatever a client sends."""

import subprocess
from itertools import product

import pytest

from mooring.domain import git_folders, git_revisions, git_urls


@pytest.mark.parametrize(
    ("url", "scheme", "host", "repository"),
    [
        ("https://github.com/Org/Templates.git", "https", "github.com", "Templates"),
        ("https://git.example:8443/a/b/c/", "https", "git.example", "c"),
        ("http://127.0.0.1:3000/r.git", "http", "127.0.0.1", "r"),
        ("http://[::1]:3000/r", "http", "[::1]", "r"),
        ("https://dev.azure.com/org/my%20project/_git/repo", "https", "dev.azure.com", "repo"),
        ("https://git.example/~user/caf%C3%A9.git", "https", "git.example", "café"),
        ("https://GIT.Example/r.git", "https", "git.example", "r"),
        ("ssh://git@git.example:22/org/r.git", "ssh", "git.example", "r"),
        ("ssh://git.example/org/r.git", "ssh", "git.example", "r"),
        ("git@github.com:org/r.git", "ssh", "github.com", "r"),
        ("git@host:/srv/r.git", "ssh", "host", "r"),
        ("/srv/My Templates.git", "file", "", "My Templates"),
        ("file:///srv/caf%C3%A9/.git/", "file", "", "café"),
        ("/srv/50%41", "file", "", "50%41"),
    ],
)
def test_urls_of_every_allowed_form(url: str, scheme: str, host: str, repository: str) -> None:
    parsed = git_urls.parse(url)
    assert (parsed.text, parsed.scheme, parsed.host, parsed.repository) == (url, scheme, host, repository)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c 'touch /tmp/x'",
        "ext::https://git.example/r.git",
        "fd::17",
        "https::https://git.example/r",
        "host::path",
        "file://localhost/etc",
        "file://",
        "file:/etc",
        "file:///",
        "/",
        "//etc",
        "/srv/../etc",
        "file:///srv/%2e%2e/etc",
        "/srv/-x",
        "/srv/x\n",
        "FILE:///srv/x",
        "./repository",
        "repository",
        "host:path",
        "git://git.example/r.git",
        "ftp://git.example/r.git",
        "HTTPS://git.example/r.git",
        "javascript:alert(1)",
        "-uhttps://git.example/r.git",
        "--upload-pack=touch /tmp/x",
        "https://-oProxyCommand=x/r.git",
        "ssh://-oProxyCommand=x/r.git",
        "ssh://-l@git.example/r.git",
        "-oProxyCommand=x@host:r",
        "git@-oProxyCommand=x:r",
        "git@host:-x",
        "git@host::r",
        "ssh://git.example/-x",
        "https://git.example/a/--upload-pack=x/r",
        "https://git.example",
        "https://git.example/",
        "https://git.example//r",
        "https:///r",
        "https://git.example/../r",
        "https://git.example/%2e%2e/r",
        "https://git.example/%252e%252e/r",
        "https://git.example/a%00b",
        "https://git.example/a%0ahost=evil",
        "https://git.example/a%5cb",
        "https://git.example/a\\b",
        "https://git.example\\@evil.example/r",
        "https://git.example/r?token=x",
        "https://git.example/r#main",
        "https://git.example/r\n",
        "https://git.example/r\0",
        " https://git.example/r",
        "https://git.example/a b",
        "https://git.example/%zz",
        "https://git.example/é",
        "https://gıt.example/r",
        "https://git.example:0/r",
        "https://git.example:65536/r",
        "https://git.example:99999999999999/r",
        "https://git.example:x/r",
        "https://[::1/r",
        "https://git.example/\ud800",
        "https://git.example/" + "x" * 1024,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|holds|is|names) "):
        git_urls.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@git.example/r.git",
        "https://hunter2@git.example/r.git",
        "https://@git.example/hunter2",
        "https://a:hunter2@b@git.example/r",
        "http://:hunter2@git.example/r",
        "HTTPS://user:hunter2@git.example/r.git",
        "ssh://git:hunter2@git.example/r.git",
        "ftp://user:hunter2@git.example/r",
        "https://user:hunter2@git.example?x/r",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="user name or a password") as raised:
        git_urls.parse(url)
    assert "hunter2" not in str(raised.value)


def test_case_and_slashes_at_the_end_do_not_tell_urls_apart() -> None:
    spellings = ("https://git.example/Org/R.git", "https://GIT.example/org/r.git/", "https://git.example/org/r.git//")
    assert len({git_urls.comparison_key(url) for url in spellings}) == 1
    assert git_urls.comparison_key("https://git.example/org/r") != git_urls.comparison_key(spellings[0])


@pytest.mark.parametrize(
    "revision",
    ["main", "HEAD", "v1.0", "refs/heads/main", "feature/a-b_c", "a" * 40, "größe", "release@2024", "1", "a" * 255],
)
def test_names_of_branches_tags_and_commits(revision: str) -> None:
    assert git_revisions.check(revision) == revision


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "-x",
        "--upload-pack=x",
        "/main",
        "main/",
        "a//b",
        "a..b",
        "a...b",
        "main~1",
        "main^{}",
        "main:path",
        "@{1}",
        "@",
        "a b",
        "a\n",
        "a\0",
        "a\x7f",
        "*",
        "a?",
        "[a]",
        "a\\b",
        ".hidden",
        "a/.hidden",
        "main.lock",
        "a.lock/b",
        "main.",
        "a\u200bb",
        "\ud800",
        "a" * 256,
        "ß" * 128,
    ],
)
def test_options_ranges_and_expressions_are_no_revisions(revision: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|is) "):
        git_revisions.check(revision)


def test_what_we_take_for_a_name_git_does_too() -> None:
    pieces = ("a", "-", ".", "..", "/", "@", "{", "~", "^", ":", "?", "*", "[", "\\", ".lock", " ", "\t", "\x7f", "é")
    for candidate in map("".join, product(pieces, repeat=2)):
        try:
            git_revisions.check(candidate)
        except ValueError:
            continue
        subprocess.run(["git", "check-ref-format", "--allow-onelevel", candidate], check=True)


@pytest.mark.parametrize("path", [".", "templates", "./a/b", "a/b/", "größe/ä b", "..a/b..", "a" * 1024])
def test_folders_inside(path: str) -> None:
    assert git_folders.check(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc", "..", "a/../b", "../a", "a/..", "-x", ":(top)", "a\\..\\b", "a\0", "a\nb", "\ud800", "ß" * 513],
)
def test_what_leads_out_is_no_folder(path: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|holds|begins) "):
        git_folders.check(path)


def test_spellings_of_a_folder_are_equal() -> None:
    assert {git_folders.comparison_key(path) for path in ("a/b", "a/b/", "./a//b", "a/./b")} == {"a/b"}
    assert {git_folders.comparison_key(path) for path in (".", "./", "././")} == {""}
