"""Images come from a real registry with its secret; what is wrong is said in words, what runs is never exchanged."""

import io
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mooring.domain.containers import PullPolicy
from mooring.network.reach import Reach
from mooring.runtimes.base import ImageAway, ImageError, ImageRequest
from mooring.runtimes.container.client import Client
from mooring.runtimes.container.flavours import DOCKER
from mooring.runtimes.container.images import Images
from mooring.runtimes.container.references import parse
from tests import image_registry, podman
from tests.image_registry import PASSWORD, USER, ImageRegistry


@dataclass
class Quay:
    """One image name at a registry, and podman that pulls it."""

    registry: ImageRegistry
    images: Images
    name: str

    def push(self, content: str) -> None:
        """Make the tag mean something new, at the registry and not here."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("content")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
        podman.podman("import", "--quiet", "-", self.name, given=archive.getvalue())
        podman.podman("push", "--quiet", *self.registry.push_options, self.name)
        podman.podman("rmi", "--force", self.name)

    def request(self, policy: PullPolicy | None = None, *, password: str | None = PASSWORD) -> ImageRequest:
        login = {"username": USER, "password": password}
        return ImageRequest(self.name, policy, {"auths": {self.registry.host: login}} if password else {})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    if podman.client() is None:
        pytest.skip(podman.SKIPPED)
    if image_registry.program() is None:
        pytest.skip(image_registry.SKIPPED)
    with image_registry.running(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def quay(registry: ImageRegistry) -> Iterator[Quay]:
    name = f"{registry.host}/team/app-{uuid.uuid4().hex[:8]}:1"
    client = podman.client()
    assert client
    yield Quay(registry, Images(client, registry.pull_options, 60.0, Reach(["127.0.0.1"])), name)
    podman.podman("rmi", "--force", "--ignore", name)


def test_a_secret_lets_an_image_be_pulled_and_is_nowhere_afterwards(quay: Quay, tmp_path: Path) -> None:
    quay.push("one")
    image = quay.images.ensure(quay.request())
    assert len(image.id) == 64
    assert not list(Path("/tmp").glob("mooring-login-*/config.json"))


@pytest.mark.parametrize("password", [None, "wrong"])
def test_without_the_right_secret_the_error_says_what_to_do(quay: Quay, password: str | None) -> None:
    quay.push("one")
    with pytest.raises(ImageError, match="imagePullSecrets") as refused:
        quay.images.ensure(quay.request(password=password))
    assert not isinstance(refused.value, ImageAway)


def test_an_image_that_is_not_there_is_said_so(quay: Quay) -> None:
    with pytest.raises(ImageError, match="correct its name and tag") as refused:
        quay.images.ensure(quay.request())
    assert not isinstance(refused.value, ImageAway)


def test_a_tag_that_was_moved_is_a_new_image_unless_it_must_not_be_asked_for(quay: Quay) -> None:
    quay.push("one")
    first = quay.images.ensure(quay.request())
    quay.push("two")
    podman.podman("tag", first.id, quay.name)
    assert quay.images.ensure(quay.request(PullPolicy.NEVER)).id == first.id
    assert quay.images.ensure(quay.request(PullPolicy.IF_NOT_PRESENT)).id == first.id
    assert quay.images.ensure(quay.request()).id != first.id
    assert quay.images.inspect(first.id)  # what runs of it can be started again
    podman.podman("rmi", "--force", first.id)


@pytest.mark.slow
def test_a_registry_that_is_away_costs_nothing_that_is_here_unless_it_must_be_asked(quay: Quay) -> None:
    client = podman.client()
    assert client
    name = quay.name.replace(quay.registry.host, "127.0.0.1:1")
    images = Images(client, (), 60.0, Reach(["127.0.0.1"]))
    with pytest.raises(ImageAway, match="cannot be pulled now"):
        images.ensure(ImageRequest(name))
    podman.podman("import", "--quiet", "-", name, given=_empty())
    try:
        here = images.ensure(ImageRequest(name, PullPolicy.IF_NOT_PRESENT))
        assert images.ensure(ImageRequest(name)).id == here.id
        with pytest.raises(ImageAway):
            images.ensure(ImageRequest(name, PullPolicy.ALWAYS))
    finally:
        podman.podman("rmi", "--force", name)


def test_an_image_that_may_not_be_pulled_has_to_be_here(quay: Quay) -> None:
    with pytest.raises(ImageError, match="Never"):
        quay.images.ensure(quay.request(PullPolicy.NEVER))


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "169.254.169.254", "0.0.0.0:80", "127.1:80"])
def test_a_registry_on_this_machine_is_not_asked_unless_it_is_listed(quay: Quay, host: str) -> None:
    client = podman.client()
    assert client
    with pytest.raises(ImageError, match="MOORING_IMAGE_REGISTRY_HOSTS"):
        Images(client, (), 60.0, Reach()).ensure(ImageRequest(f"{host}/a/b:1"))


def test_of_a_registry_secret_only_the_logins_are_used(tmp_path: Path) -> None:
    """A credential helper would be a program that somebody else has named."""
    seen = tmp_path / "seen"
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\ncase "$*" in *pull*) cat "$2/config.json" >{seen};; esac\nexit 1\n')
    program.chmod(0o755)
    images = Images(Client(str(program), DOCKER), (), 10.0, Reach(["127.0.0.1"]))
    secret = {
        "credsStore": "evil",
        "credHelpers": {"x": "evil"},
        "auths": {
            "127.0.0.1": {"auth": "abc", "exec": "evil"},
            "x": {"username": "u", "password": "p"},
            "y": "evil",
        },
        "proxies": {"default": {"httpProxy": "evil"}},
    }
    with pytest.raises(ImageError):
        images._pull(parse("127.0.0.1/a/b:1"), secret)
    assert seen.read_text() == '{"auths": {"127.0.0.1": {"auth": "abc"}, "x": {"auth": "dTpw"}}}'


def _empty() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w"):
        pass
    return content.getvalue()
