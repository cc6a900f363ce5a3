"""Brings what lies at a source into an empty folder, whole, or raises."""

from pathlib import Path

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.foreign import fetch_foreign
from mooring.artifacts.proxy import fetch_from_proxy
from mooring.artifacts.source import Kind, Source
from mooring.artifacts.writing import copy_folder


def fetch(source: Source, folder: Path, tracking_uri: str | None, deadline: Deadline) -> Path:
    """The folder that holds the content (the given one or one below it). Raises ArtifactError, OSError."""
    match source.kind:
        case Kind.FOLDER:
            copy_folder(Path(source.location), folder, deadline)
        case Kind.PROXY:
            fetch_from_proxy(source, folder, deadline)
        case Kind.FOREIGN:
            return fetch_foreign(source.location, folder, tracking_uri, deadline)
    return folder
