"""Every test gets a runtime of its own."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtimes.harbour import Harbour


@pytest.fixture
def harbour() -> Iterator[Harbour]:
    """Closed at the end: no process stays. Its path is short, as those of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="mooring-"))
    harbour = Harbour(folder)
    try:
        yield harbour
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder)
            harbour.close()
