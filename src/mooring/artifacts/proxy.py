"""Downloads through an MLflow server's artifact proxy: list, then stream several files at a time, verified."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ArtifactError, ModelMissing, SourceAway, UnsafeContent
from mooring.artifacts.source import Source
from mooring.artifacts.writing import write_stream
from mooring.mlflow_access import mlflow_access

T = TypeVar("T")

_API = "/api/2.0/mlflow-artifacts/artifacts"
_PARALLEL = 4
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.3
_IO_SECONDS = 30.0
_MOST_FILES = 100_000
_DEEPEST = 32


@dataclass(frozen=True)
class ListedFile:
    """`path` is relative to the model's folder; `size` in bytes."""

    path: str
    size: int


def fetch_from_proxy(source: Source, folder: Path, deadline: Deadline) -> None:
    """All files of the source, complete, into the folder. Raises ArtifactError, OSError."""
    access = mlflow_access()
    limits = httpx.Limits(max_connections=_PARALLEL)
    with httpx.Client(
        base_url=source.server,
        auth=access.auth,
        verify=access.verify,
        limits=limits,
        headers={"Accept-Encoding": "identity"},
    ) as client:
        proxy = _Proxy(client, source.location, deadline)
        files = list(proxy.files())
        if not files:
            raise ModelMissing(f"the MLflow server has no files at mlflow-artifacts:/{source.location}")
        _in_parallel(proxy, files, folder)


def _in_parallel(proxy: "_Proxy", files: list[ListedFile], folder: Path) -> None:
    threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="download")
    try:
        for done in as_completed([threads.submit(proxy.download, file, folder) for file in files]):
            done.result()
    finally:
        proxy.given_up.set()  # after a failure nothing more is begun, and what runs ends at its next piece
        threads.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Proxy:
    client: httpx.Client
    root: str
    deadline: Deadline
    given_up: threading.Event = field(default_factory=threading.Event)

    def files(self) -> Iterator[ListedFile]:
        """Everything below the root. Raises UnsafeContent for names that are no plain names."""
        count = 0
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in self._list(f"{self.root}/{folder}".rstrip("/")):
                path = folder + _plain_name(entry)
                count += 1
                if count > _MOST_FILES or path.count("/") > _DEEPEST:
                    raise UnsafeContent(f"{self.root}: more than {_MOST_FILES} files or {_DEEPEST} levels")
                if entry.get("is_dir"):
                    folders.append(path + "/")
                else:
                    yield ListedFile(path, int(entry.get("file_size") or 0))

    def download(self, file: ListedFile, folder: Path) -> None:
        """One file, complete."""
        self._patiently(file.path, lambda: self._download(file, folder / file.path))

    def _download(self, file: ListedFile, target: Path) -> None:
        address = f"{_API}/{quote(f'{self.root}/{file.path}')}"
        with self.client.stream("GET", address, timeout=self._timeout()) as response:
            _check(response, file.path)
            length = int(response.headers.get("content-length", file.size))
            written = write_stream(target, self._pieces(response))
        if not written == length == file.size:
            raise SourceAway(f"{written} bytes came of {length} announced and {file.size} listed")

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        for piece in response.iter_raw():
            self.deadline.left()
            if self.given_up.is_set():
                raise ArtifactError("another file of the model could not be downloaded")
            yield piece

    def _list(self, path: str) -> list[dict[str, Any]]:
        return self._patiently(path, lambda: self._list_once(path))

    def _list_once(self, path: str) -> list[dict[str, Any]]:
        response = self.client.get(_API, params={"path": path}, timeout=self._timeout())
        _check(response, path)
        try:
            return list(response.json().get("files", []))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise SourceAway("the MLflow server's listing is not what its API promises") from error

    def _patiently(self, what: str, action: Callable[[], T]) -> T:
        """The action's result, tried again when the server stumbles."""
        attempt = 1
        while True:
            try:
                return action()
            except (httpx.TransportError, SourceAway) as error:
                if attempt == _ATTEMPTS:
                    raise SourceAway(f"{what} could not be downloaded: {error}") from error
            self.given_up.wait(min(_PAUSE_SECONDS * attempt, self.deadline.left()))
            attempt += 1

    def _timeout(self) -> float:
        return min(_IO_SECONDS, self.deadline.left())


def _check(response: httpx.Response, what: str) -> None:
    if response.status_code == 200:
        return
    if response.status_code == 404:
        raise ModelMissing(f"the MLflow server has no {what}")
    if response.status_code in (408, 425, 429) or response.status_code >= 500:
        raise SourceAway(f"the MLflow server answers {response.status_code}")
    raise ArtifactError(f"the MLflow server refuses {what} with {response.status_code}")


def _plain_name(entry: dict[str, Any]) -> str:
    """The listed name, when it is one name below the listed folder and nothing else."""
    name = entry.get("path")
    # Refused rather than cleaned: a server that lists such names is broken or hostile.
    if not isinstance(name, str) or name in ("", ".", "..") or any(mark in name for mark in "/\\\0"):
        raise UnsafeContent(f"the MLflow server lists a file with the name {name!r}")
    return name
