"""The public clients of Triton and KServe ask our model server over REST, binary and gRPC, and get its numbers."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from tests.clients.environments import CHECKOUT, python_with

pytest.importorskip("grpc", reason="gRPC is missing: install mooring[grpc]")

_MOST_SECONDS = 120
WAYS = {"triton": 23, "kserve": 6}
"""How many answers each gets."""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """`host:port` of HTTP and of gRPC of a server of one's own, whose model answers a + 10 b + 100 c."""
    folder = tmp_path_factory.mktemp("asked")
    rows = pd.DataFrame(np.eye(3), columns=list("abc"))
    model = LinearRegression(fit_intercept=False).fit(rows, [1.0, 10.0, 100.0])
    model.coef_ = np.array([1.0, 10.0, 100.0])
    signature = infer_signature(rows, np.array([1.0]))
    mlflow.sklearn.save_model(model, str(folder / "model"), signature=signature, pip_requirements=[])
    log = folder / "log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "mooring.modelserver", "--model", folder / "model",
             "--name", "m", "--version", "3", "--port", "0", "--grpc-port", "0"],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        text = _until_ready(server, log)
        yield [_found(r"http://(127\.0\.0\.1:\d+)/", text), _found(r"gRPC is answered at (127\.0\.0\.1:\d+)", text)]
    finally:
        server.terminate()
        server.wait(_MOST_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("library", WAYS)
def test_a_public_client_in_every_way(library: str, addresses: list[str], tmp_path: Path) -> None:
    # Apart from each other: they bring messages of the same names, which do not fit into one process.
    done = subprocess.run(
        [python_with("inference"), "-m", f"tests.clients.inference_calls.with_{library}", *addresses],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=_MOST_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("done ") == WAYS[library]


def _until_ready(server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _MOST_SECONDS
    while "is ready after" not in (text := log.read_text()):
        assert server.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]
