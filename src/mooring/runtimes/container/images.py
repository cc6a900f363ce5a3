"""Images: pulled, found, and what they say about themselves."""

import base64
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mooring.domain.containers import PullPolicy
from mooring.network.guard import Guard
from mooring.network.reach import OutOfReach, Reach
from mooring.runtimes.base import ImageAway, ImageError, ImageRequest
from mooring.runtimes.container.client import Client, EngineError
from mooring.runtimes.container.references import Reference, parse

_DENIED = re.compile(r"unauthorized|denied|authentication required|invalid username|forbidden|no basic auth", re.I)
_MISSING = re.compile(r"manifest unknown|not found|name unknown|repository name not known|no such image", re.I)
_FULL = re.compile(r"no space left|disk quota", re.I)
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
_KEPT_OF_A_LOGIN = ("auth", "identitytoken")


@dataclass(frozen=True)
class Image:
    """One image on this machine. `user` as its maker has set it."""

    id: str
    user: str
    pulled: bool


class Images:
    """The images of one engine. `pull_options` are added to its `pull`, which may take `pull_seconds` and go to
    registries within `reach`."""

    def __init__(self, client: Client, pull_options: Sequence[str], pull_seconds: float, reach: Reach) -> None:
        self._client = client
        self._reach = reach
        self._pull_options = pull_options
        self._pull_seconds = pull_seconds
        self._known: dict[str, Image] = {}

    def ensure(self, request: ImageRequest) -> Image:
        """The image, pulled when that is called for. Raises ImageError, ImageAway."""
        reference = parse(request.image)
        here = self._local(reference)
        if here and (_stays(reference, request.pull_policy) or not here.pulled):
            return here
        if request.pull_policy is PullPolicy.NEVER:
            raise ImageError(
                f"image {request.image} is not on this machine, and imagePullPolicy Never forbids to pull it"
            )
        try:
            self._pull(reference, request.credentials)
        except ImageAway:
            if here and request.pull_policy is not PullPolicy.ALWAYS:
                return here
            raise
        return self._local(reference) or _vanished(request.image)

    def inspect(self, name: str) -> Image | None:
        """None when it is not here. Raises EngineError, TimeoutError."""
        if name in self._known:
            return self._known[name]
        try:
            found = json.loads(self._client.run(["image", "inspect", name]))[0]
        except EngineError as error:
            if _MISSING.search(error.said) or "not known" in error.said:
                return None
            raise
        image = Image(_bare(found["Id"]), str((found.get("Config") or {}).get("User") or ""), _was_pulled(found))
        if name == image.id:
            self._known[name] = image  # what an id stands for never changes
        return image

    def _local(self, reference: Reference) -> Image | None:
        try:
            if reference.short and self._client.flavour.local_hosts and (made := self.inspect(reference.made_here)):
                return Image(made.id, made.user, pulled=False)
            found = self.inspect(reference.full)
        except OSError as error:
            raise ImageAway(f"the container engine does not answer: {error}") from error
        if found and reference.host == "localhost":  # podman's name for what was made here
            return Image(found.id, found.user, pulled=False)
        return found

    def _pull(self, reference: Reference, credentials: Mapping[str, object]) -> None:
        with _login(credentials) as file, self._way_out(reference) as env:
            before, options = self._login_options(file)
            source = f"{self._client.flavour.transport}{reference.full}"
            words = [*before, "pull", "--quiet", *options, *self._pull_options, source]
            try:
                self._client.run(words, seconds=self._pull_seconds, env=env)
            except OSError as error:
                raise _in_words(reference, error) from error

    @contextmanager
    def _way_out(self, reference: Reference) -> Iterator[Mapping[str, str]]:
        """A template chooses the registry. What pulls for itself goes through our proxy, also where it is redirected
        to; of a daemon, only the name is checked. A proxy of the operator's decides alone."""
        if any(os.environ.get(name) for name in _PROXIES):
            yield {}
            return
        host, _, port = reference.host.partition(":")
        try:
            self._reach.addresses(host, int(port or 443))
        except OutOfReach as error:
            way_out = "the operator can list it in MOORING_IMAGE_REGISTRY_HOSTS"
            raise ImageError(f"image {reference.full} is not pulled: {error}; {way_out}") from error
        except OSError as error:
            raise ImageAway(
                f"image {reference.full} cannot be pulled now, its registry has no address: {error}"
            ) from error
        if not self._client.flavour.pulls_itself:
            yield {}
            return
        with contextlib.closing(Guard(self._reach)) as guard:
            yield {name: guard.proxy_url() for name in _PROXIES}

    def _login_options(self, file: Path | None) -> tuple[list[str], list[str]]:
        if file is None:
            return [], []
        if self._client.flavour.name == "podman":
            return [], ["--authfile", str(file)]
        return ["--config", str(file.parent)], []


def _stays(reference: Reference, policy: PullPolicy | None) -> bool:
    """Whether what is here is taken without a question. Without a policy, a tag may have been moved."""
    if policy is None:
        return bool(reference.digest)
    return policy is not PullPolicy.ALWAYS


@contextmanager
def _login(credentials: Mapping[str, object]) -> Iterator[Path | None]:
    """A file with the registries' logins, and nothing else of what the secret holds: helpers are programs."""
    logins = _logins(credentials.get("auths"))
    if not logins:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="mooring-login-"))  # 0700
    try:
        with os.fdopen(os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"auths": logins}, file)
        yield folder / "config.json"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _logins(auths: object) -> dict[str, dict[str, str]]:
    if not isinstance(auths, Mapping):
        return {}
    return {str(host): _entry(entry) for host, entry in auths.items() if isinstance(entry, Mapping)}


def _entry(given: Mapping[str, object]) -> dict[str, str]:
    """The engines do not read a user and a password that are not also there as `auth`."""
    entry = {key: str(given[key]) for key in _KEPT_OF_A_LOGIN if given.get(key)}
    if "auth" not in entry and given.get("username"):
        pair = f"{given['username']}:{given.get('password') or ''}"
        entry["auth"] = base64.b64encode(pair.encode()).decode()
    return entry


def _in_words(reference: Reference, error: OSError) -> ImageError:
    name, said = reference.full, str(error)
    if _FULL.search(said):
        return ImageAway(f"image {name} cannot be pulled, the disk is full: make room for it")
    if _DENIED.search(said):
        way_out = "name a docker registry secret that may read it in imagePullSecrets"
        return ImageError(f"image {name} is not at its registry, or access to it is denied: {way_out} ({said})")
    if _MISSING.search(said) and "no such host" not in said:
        return ImageError(f"image {name} is not at its registry: push it, or correct its name and tag ({said})")
    return ImageAway(f"image {name} cannot be pulled now: {said}")


def _vanished(image: str) -> Image:
    raise ImageAway(f"image {image} was pulled, but is not on this machine: something removes images here")


def _bare(identity: str) -> str:
    found = _ID.fullmatch(identity)
    if found is None:
        raise EngineError(f"the engine gave {identity!r} as an image's id")
    return found[1]


def _was_pulled(found: Mapping[str, Any]) -> bool:
    with contextlib.suppress(TypeError):
        return bool(len(found.get("RepoDigests") or ()))
    return False
