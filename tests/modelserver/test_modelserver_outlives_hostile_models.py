"""A model that does what no model should does it to its own request only."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import orjson
import pytest

from tests.modelserver.conftest import ORDERS, InProcess

Server = Callable[..., InProcess]
CODE = """
import asyncio, os, threading
import mlflow

class Weird(BaseException):
    pass

def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

def spawn():
    threading.Thread(target=lambda: 1 / 0, daemon=True).start()

class Hostile(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        answers = []
        for order in model_input["order"]:
            match order:
                case "cancel": raise asyncio.CancelledError("mine")
                case "interrupt": raise KeyboardInterrupt
                case "weird": raise Weird("neither")
                case "leave": raise SystemExit(0)
                case "closed": raise GeneratorExit
                case "memory": raise MemoryError
                case "fork": fork()
                case "spawn": spawn()
                case "circle":
                    answers.append([])
                    answers[-1].append(answers[-1])
                    return answers
                case "generator": return (n for n in iter(int, 1))
                case "object": return object()
            answers.append(order.upper())
        return answers

mlflow.models.set_model(Hostile())
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.py").write_text(CODE)
    mlflow.pyfunc.save_model(
        str(folder / "model"), python_model=str(folder / "hostile.py"), signature=ORDERS, pip_requirements=[]
    )
    return folder / "model"


def _ask(server: InProcess, order: str) -> tuple[int, object]:
    answer = server.post("/invocations", orjson.dumps({"dataframe_records": [{"order": order}]}))
    return answer.status_code, answer.json()


@pytest.mark.parametrize("batching", ["on", "off"])
@pytest.mark.parametrize(
    "order", ["cancel", "interrupt", "weird", "leave", "closed", "memory", "circle", "object", "generator"]
)
def test_what_it_raises_fails_its_own_request(order: str, batching: str, hostile: Path, ours: Server) -> None:
    server = ours(hostile, batching=batching, request_seconds=20.0)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda word: _ask(server, word), ["a", "b", order, "c", order, "d"]))
    assert [answer for status, answer in answers if status == 200] == [{"predictions": [w]} for w in "ABCD"]
    assert [status for status, _ in answers].count(500) == 2
    assert _ask(server, "next") == (200, {"predictions": ["NEXT"]})


@pytest.mark.parametrize("order", ["fork", "spawn"])
def test_processes_and_threads_of_its_own_are_its_own(order: str, hostile: Path, ours: Server) -> None:
    server = ours(hostile, batching="on", request_seconds=20.0)
    assert _ask(server, order) == (200, {"predictions": [order.upper()]})
    assert _ask(server, "next") == (200, {"predictions": ["NEXT"]})
