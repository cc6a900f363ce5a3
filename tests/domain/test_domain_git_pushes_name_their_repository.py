"""A push says which repository it was: with all its urls, however they are spelled."""

import json
from urllib.parse import quote

import pytest

from mooring.domain import git_pushes, git_urls


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/team/models",
        "https://GIT.example/Team/Models.git/",
        "http://git.example:3000/team/models.git",
        "ssh://git@git.example:2222/team/models.git",
        "git@git.example:team/models.git",
        "git@git.example:/team/models",
        "https://git.example/team/%6Dodels/.git",
    ],
)
def test_all_spellings_of_one_repository_have_one_place(url: str) -> None:
    assert git_urls.place(url) == "git.example/team/models"


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/team/models2",
        "https://git.example/models",
        "https://git2.example/team/models",
        "https://git.example/team/models.git.git",
        "https://git.example/team/models/git",
    ],
)
def test_other_repositories_have_other_places(url: str) -> None:
    assert git_urls.place(url) != "git.example/team/models"


def test_what_is_no_url_has_no_place() -> None:
    with pytest.raises(ValueError, match="no url"):
        git_urls.place("ext::sh -c id")


def test_the_urls_of_both_servers_are_found() -> None:
    github = {"repository": {"clone_url": "https://a.example/x.git", "ssh_url": "git@b.example:x.git", "url": 7}}
    gitlab = {"project": {"git_http_url": "https://c.example/x.git"}, "repository": {"homepage": "https://d.example/x"}}
    assert git_pushes.places_in(json.dumps(github).encode()) == {"a.example/x", "b.example/x"}
    assert git_pushes.places_in(json.dumps(gitlab).encode()) == {"c.example/x", "d.example/x"}
    assert git_pushes.places_in(b"payload=" + quote(json.dumps(github)).encode()) == {"a.example/x", "b.example/x"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b"payload=", b"payload=[]"])
def test_what_is_no_payload_is_told(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        git_pushes.places_in(body)
