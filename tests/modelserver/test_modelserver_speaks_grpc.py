"""The Open Inference Protocol over gRPC: the model's own numbers, in the server's limits, from start to drain."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mooring.modelserver.errors import ServingError
from mooring.modelserver.protocols.identity import ModelIdentity
from mooring.modelserver.schema import Signature
from tests.modelserver.conftest import DEADLINE_SECONDS, Replica, wait_until
from tests.modelserver.test_modelserver_runs_alone import Served, write_certificate

grpc = pytest.importorskip("grpc", reason="gRPC is missing: install mooring[grpc]")

from mooring.modelserver.grpc.messages import message  # noqa: E402 - only where there is gRPC
from mooring.modelserver.grpc.reading import GrpcReader  # noqa: E402

if TYPE_CHECKING:
    from tests.modelserver.conftest import Shelf

IRIS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])
GRACE_SECONDS = 50.0
TOKEN = "a-token-that-nobody-guesses"
INFERENCE, HEALTH = "inference.GRPCInferenceService", "grpc.health.v1.Health"


class Client:
    """Calls by name; requests are messages of ours, as the public clients' own tests are elsewhere."""

    def __init__(self, log: Path, credentials: Any = None, *, token: str | None = None) -> None:
        wait_until(lambda: "gRPC is answered" in log.read_text(), log.read_text)
        found = re.search(r"gRPC is answered at 127.0.0.1:(\d+)", log.read_text())
        assert found
        target = f"localhost:{found[1]}"
        self.channel = grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def call(self, name: str, /, timeout: float = DEADLINE_SECONDS, **fields: Any) -> Any:
        """One unary call of the inference service, or of health."""
        service, prefix = (HEALTH, "HealthCheck") if name == "Check" else (INFERENCE, name)
        answer = self.channel.unary_unary(f"/{service}/{name}")(
            message(f"{prefix}Request")(**fields).SerializeToString(), timeout=timeout, metadata=self._metadata
        )
        return message(f"{prefix}Response").FromString(answer)

    def refused(self, name: str, /, **fields: Any) -> tuple[str, str]:
        """Code and message of an error."""
        with pytest.raises(grpc.RpcError) as error:
            self.call(name, **fields)
        return error.value.code().name, error.value.details()


def _raw(array: "np.ndarray[Any, np.dtype[Any]]", datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    tensor = {"name": "x", "datatype": datatype, "shape": array.shape}
    return {"model_name": "m", "inputs": [tensor], "raw_input_contents": [array.tobytes()], **more}


@pytest.fixture(scope="module")
def server(shelf: "Shelf", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    options = ("--grpc-port", "0", "--max-request-bytes", "100000")
    replica = Replica(shelf.iris, tmp_path_factory.mktemp("grpc"), *options)
    yield replica.until_ready()
    replica.close()


@pytest.fixture(scope="module")
def client(server: Replica) -> Client:
    return Client(server.log)


def test_state_and_metadata(client: Client) -> None:
    assert client.call("ServerLive").live
    assert client.call("ServerReady").ready
    assert client.call("ModelReady", name="m", version="3").ready
    assert client.call("ServerMetadata").name == "mooring"
    metadata = client.call("ModelMetadata", name="m")
    assert (metadata.versions, metadata.platform) == (["3"], "mlflow_pyfunc")
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs] == [("input-0", "FP64", [-1, 4])]
    assert client.call("RepositoryIndex").models[0].state == "READY"
    for name in ("ModelReady", "ModelMetadata"):
        assert client.refused(name, name="other")[0] == "NOT_FOUND"
        assert client.refused(name, name="m", version="4")[0] == "NOT_FOUND"


def test_raw_in_raw_out_and_typed_in_typed_out(client: Client) -> None:
    raw = client.call("ModelInfer", **_raw(IRIS, id="7"))
    assert (raw.model_name, raw.model_version, raw.id) == ("m", "3", "7")
    assert np.frombuffer(raw.raw_output_contents[0], "<i8").tolist() == [0, 2]
    contents = {"fp64_contents": IRIS.ravel()}
    tensor = {"name": "x", "datatype": "FP64", "shape": IRIS.shape, "contents": contents}
    typed = client.call("ModelInfer", model_name="m", inputs=[tensor])
    assert typed.outputs[0].contents.int64_contents == [0, 2]
    assert not typed.raw_output_contents
    mixed = client.call(
        "ModelInfer", model_name="m", inputs=[tensor], parameters={"binary_data_output": {"bool_param": True}}
    )
    assert len(mixed.raw_output_contents) == 1


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"model_name": "other"}, "NOT_FOUND", "this server has model 'm'"),
        ({"model_version": "4"}, "NOT_FOUND", "this server has model 'm'"),
        ({"raw_input_contents": [b"123"]}, "INVALID_ARGUMENT", "got 3"),
        ({"raw_input_contents": []}, "INVALID_ARGUMENT", "does not fit 0 values"),
        ({"raw_input_contents": [b"", b""]}, "INVALID_ARGUMENT", "1 inputs and 2 raw_input_contents"),
        ({"inputs": []}, "INVALID_ARGUMENT", "0 inputs and 1 raw"),
        ({"inputs": [{"name": "x", "datatype": "FP64", "shape": [2, -4]}]}, "INVALID_ARGUMENT", "whole numbers"),
        ({"inputs": [{"name": "x", "datatype": "WORD", "shape": [2, 4]}]}, "INVALID_ARGUMENT", "datatype 'WORD'"),
        ({"outputs": [{"name": "zz"}]}, "INVALID_ARGUMENT", "output 'zz' does not exist"),
        ({"outputs": [{"name": "output-0", "parameters": {"classification": {"int64_param": 1}}}]}, "INVALID_ARGUMENT",
         "classification"),
    ],
)  # fmt: skip
def test_errors_have_codes_and_words(change: dict[str, Any], code: str, words: str, client: Client) -> None:
    got, text = client.refused("ModelInfer", **{**_raw(IRIS), **change})
    assert got == code
    assert words in text


def test_limits_of_size_and_time(client: Client) -> None:
    assert client.refused("ModelInfer", **_raw(np.zeros((4000, 4))))[0] == "RESOURCE_EXHAUSTED"
    assert client.refused("ModelInfer", timeout=0.00001, **_raw(IRIS))[0] == "DEADLINE_EXCEEDED"
    assert client.call("ModelInfer", **_raw(IRIS)).outputs


def test_a_packed_message_cannot_grow_beyond_the_limit(server: Replica, client: Client) -> None:
    before = _peak_kib(server)
    call = client.channel.unary_unary(f"/{INFERENCE}/ModelInfer")
    bomb = message("ModelInferRequest")(**_raw(np.zeros((2_000_000, 4)))).SerializeToString()
    with pytest.raises(grpc.RpcError) as error:
        call(bomb, timeout=DEADLINE_SECONDS, compression=grpc.Compression.Gzip)
    assert error.value.code().name in ("RESOURCE_EXHAUSTED", "UNIMPLEMENTED")
    assert _peak_kib(server) - before < 30_000


def _peak_kib(server: Replica) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_health_of_the_standard_service(client: Client) -> None:
    for service in ("", INFERENCE):
        assert client.call("Check", service=service).status == 1
    assert client.refused("Check", service="other")[0] == "NOT_FOUND"
    watch = client.channel.unary_stream(f"/{HEALTH}/Watch")(b"", timeout=DEADLINE_SECONDS)
    assert message("HealthCheckResponse").FromString(next(watch)).status == 1
    watch.cancel()


def test_a_stream_keeps_its_order_and_survives_a_refusal(client: Client) -> None:
    requests = [_raw(IRIS, id=str(at)) for at in range(20)]
    requests[7] = {**requests[7], "model_name": "other"}
    answers = [
        message("ModelStreamInferResponse").FromString(answer)
        for answer in client.channel.stream_stream(f"/{INFERENCE}/ModelStreamInfer")(
            iter([message("ModelInferRequest")(**request).SerializeToString() for request in requests]),
            timeout=DEADLINE_SECONDS,
        )
    ]
    ids = [message("ModelInferResponse").FromString(answer.infer_response).id for answer in answers]
    assert ids == [str(at) if at != 7 else "" for at in range(20)]
    assert "this server has model 'm'" in answers[7].error_message


def test_many_clients_at_once_get_each_their_own(client: Client) -> None:
    rows = np.repeat(IRIS, 16, axis=0)
    with ThreadPoolExecutor(8) as pool:

        def ask(at: int) -> list[int]:
            answer = client.call("ModelInfer", **_raw(rows[at : at + 1]))
            return list(np.frombuffer(answer.raw_output_contents[0], "<i8"))

        assert list(pool.map(ask, range(32))) == [[0]] * 16 + [[2]] * 16


def test_no_mutation_breaks_the_reader() -> None:
    import random

    chance = random.Random(6)
    reader = GrpcReader(ModelIdentity("m", "3"), Signature())
    tensor = {"name": "t", "datatype": "BYTES", "shape": [2], "contents": {"bytes_contents": [b"a", b"b"]}}
    bodies = [
        message("ModelInferRequest")(**_raw(IRIS, parameters={"p": {"int64_param": 3}})).SerializeToString(),
        message("ModelInferRequest")(model_name="m", inputs=[tensor]).SerializeToString(),
    ]
    outcomes = set()
    for at in range(4000):
        changed = bytearray(bodies[at % 2])
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(changed))
            changed[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            outcomes.add(reader.call(bytes(changed)).inference.form.name)
        except ServingError as error:
            outcomes.add(error.code)
    assert outcomes == {"ARRAYS", "BAD_REQUEST", "NOT_FOUND"}


@pytest.fixture
def alone(shelf: "Shelf", tmp_path: Path) -> Iterator[tuple[Served, Path]]:
    """`mooring serve` with a certificate and a token, of a model that loads once `gate` is there; and its folder."""
    chain, key = write_certificate(tmp_path, "grpc")
    (tmp_path / "tokens").write_text(TOKEN)
    served = Served(
        tmp_path, str(shelf.moody), "--name", "m", "--port", "0", "--grpc-port", "0",
        "--token-file", str(tmp_path / "tokens"), "--tls-cert", str(chain), "--tls-key", str(key),
        "--stop-grace-seconds", str(GRACE_SECONDS),
        env={"TEST_GATE": str(tmp_path / "gate")},
    )  # fmt: skip
    yield served, tmp_path
    served.close()


@pytest.mark.slow
def test_a_server_of_its_own_waits_guards_and_drains(alone: tuple[Served, Path]) -> None:
    server, folder = alone
    gate, order = folder / "gate", folder / "order"
    credentials = grpc.ssl_channel_credentials((folder / "cert.pem").read_bytes())
    client, stranger = Client(server.log, credentials, token=TOKEN), Client(server.log, credentials)
    # While it loads: live, and not ready.
    assert client.call("ServerLive").live
    assert not client.call("ServerReady").ready
    assert stranger.call("Check").status == 2
    assert client.refused("ModelInfer", model_name="m")[0] == "UNAVAILABLE"
    gate.touch()
    wait_until(lambda: client.call("ServerReady").ready, server.log.read_text)
    # A token for all but probes.
    assert stranger.refused("ModelInfer", model_name="m")[0] == "UNAUTHENTICATED"
    assert stranger.refused("ServerLive")[0] == "UNAUTHENTICATED"
    assert stranger.call("Check").status == 1
    # Who gives up while others are being predicted is not predicted any more.
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: client.call("ModelInfer", **_order(f"touch-and-wait {folder / 'first'}")))
        wait_until((folder / "first.begun").exists, server.log.read_text)
        given_up = client.channel.unary_unary(f"/{INFERENCE}/ModelInfer").future(
            message("ModelInferRequest")(**_order(f"touch-and-wait {folder / 'never'}")).SerializeToString(),
            timeout=DEADLINE_SECONDS, metadata=(("authorization", f"Bearer {TOKEN}"),),
        )  # fmt: skip
        assert client.call("ServerLive").live  # behind it on the same connection
        given_up.cancel()
        assert client.call("ServerLive").live
        (folder / "first").touch()
        assert running.result(DEADLINE_SECONDS).outputs
    assert client.call("ModelInfer", **_order("hello")).outputs[0].contents.bytes_contents == [b"HELLO"]
    assert not (folder / "never.begun").exists()
    # A running prediction is answered after SIGTERM, new ones are not begun, and whoever watches is told.
    watch = stranger.channel.unary_stream(f"/{HEALTH}/Watch")(b"", timeout=DEADLINE_SECONDS)
    assert message("HealthCheckResponse").FromString(next(watch)).status == 1
    resting = client.channel.stream_stream(f"/{INFERENCE}/ModelStreamInfer")(
        _never(), timeout=DEADLINE_SECONDS, metadata=(("authorization", f"Bearer {TOKEN}"),)
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: client.call("ModelInfer", **_order(f"touch-and-wait {order}")))
        wait_until(lambda: order.with_name("order.begun").exists(), server.log.read_text)
        server.process.terminate()
        assert message("HealthCheckResponse").FromString(next(watch)).status == 2
        order.touch()
        assert running.result(DEADLINE_SECONDS).outputs[0].contents.bytes_contents == [
            f"TOUCH-AND-WAIT {order}".upper().encode()
        ]
    assert list(resting) == []
    assert server.process.wait(GRACE_SECONDS / 2) == 0


def _never() -> Iterator[bytes]:
    """The requests of a client that keeps its stream open, and asks nothing."""
    threading.Event().wait(DEADLINE_SECONDS)
    yield b""


def _order(text: str) -> dict[str, Any]:
    contents = {"bytes_contents": [text.encode()]}
    return {"model_name": "m", "inputs": [{"name": "order", "datatype": "BYTES", "shape": [1], "contents": contents}]}


def test_without_grpc_it_says_what_to_install(shelf: "Shelf", replica: Callable[..., Replica], tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError(\"No module named 'grpc'\")")
    server = replica(shelf.iris, "--grpc-port", "0", env={"PYTHONPATH": str(tmp_path)}, fresh=True)
    assert server.process.wait(DEADLINE_SECONDS) == 2
    assert "install mooring[grpc]" in server.stderr()


def test_a_port_that_is_taken_is_said(shelf: "Shelf", replica: Callable[..., Replica], client: Client) -> None:
    taken = client.channel._channel.target().decode().rpartition(":")[2]
    second = replica(shelf.iris, "--grpc-port", taken)
    assert second.process.wait(DEADLINE_SECONDS) == 2
    assert "gRPC cannot listen" in second.stderr()
