"""What URIs resolved to, kept on disk: what is cached can be found while the MLflow server is away."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from mooring.artifacts.source import Kind, Source
from mooring.files import write_atomically


class ResolvedUris:
    """One small file per URI and tracking server."""

    def __init__(self, folder: Path, tracking_uri: str | None) -> None:
        self._folder = folder
        self._tracking_uri = tracking_uri

    def remember(self, uri: str, source: Source) -> None:
        """Raises OSError."""
        if self.recall(uri) != source:
            facts = {**asdict(source), "kind": source.kind.value}
            write_atomically(self._file(uri), json.dumps(facts).encode())

    def recall(self, uri: str) -> Source | None:
        """None when it was never resolved here."""
        try:
            facts = json.loads(self._file(uri).read_bytes())
            return Source(**{**facts, "kind": Kind(facts["kind"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _file(self, uri: str) -> Path:
        name = hashlib.sha256(json.dumps([self._tracking_uri, uri]).encode()).hexdigest()
        return self._folder / f"{name}.json"
