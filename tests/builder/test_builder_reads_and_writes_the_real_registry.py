import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, Queue

import pytest

from mooring.builder.mlflow import MlflowError, RegistryClient
from mooring.builder.snapshot import read_registry
from mooring.builder.subscription import ensure_webhook
from mooring.builder.wanted import Wanted, wanted_version
from mooring.builder.webhook import WebhookVerifier, newly_marked
from tests.mlflow_server import MlflowServer

pytestmark = pytest.mark.slow

Delivery = tuple[dict[str, str], bytes]


@pytest.mark.parametrize("value", ["true", "", "yes, since Monday"])
def test_a_tag_marks_a_version(mlflow: MlflowServer, registry: RegistryClient, value: str) -> None:
    name = mlflow.new_model("with 'quotes' & blanks")
    mlflow.new_version(name)
    mlflow.new_version(name, {"production": value})
    mlflow.new_version(name, {"production": "false"})

    assert wanted_version(read_registry(registry).models[name]) == Wanted(2, f"tag {value}")


def test_an_alias_and_a_stage_mark_a_version(mlflow: MlflowServer, registry: RegistryClient) -> None:
    name = mlflow.new_model()
    for _ in range(3):
        mlflow.new_version(name)
    stage = {"name": name, "version": "2", "stage": "Production", "archive_existing_versions": False}
    mlflow.api("POST", "/model-versions/transition-stage", **stage)
    assert wanted_version(read_registry(registry).models[name]) == Wanted(2, "stage")

    mlflow.set_alias(name, 1, "production")
    assert wanted_version(read_registry(registry).models[name]) == Wanted(1, "alias")


def test_only_versions_that_still_have_a_status_are_reported(mlflow: MlflowServer, registry: RegistryClient) -> None:
    name = mlflow.new_model()
    for status in ("STOPPED", "RUNNING", "FAILED", None):
        mlflow.new_version(name, {"deployment_status": status} if status else {})

    assert {each.version for each in read_registry(registry).models[name].reported} == {2, 3}


def test_tags_come_and_go(mlflow: MlflowServer, registry: RegistryClient) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name)

    registry.set_version_tag(name, 1, "deployment_error", "x" * 5000)
    registry.set_model_tag(name, "deployed version", "1")
    assert registry.version(name, 1).tags == {"deployment_error": "x" * 5000}
    assert mlflow.model_tags(name) == {"deployed version": "1"}

    registry.delete_version_tag(name, 1, "deployment_error")
    registry.delete_version_tag(name, 1, "deployment_error")
    registry.delete_model_tag(name, "deployed version")
    assert registry.version(name, 1).tags == mlflow.model_tags(name) == {}


def test_every_page_is_read(mlflow: MlflowServer, registry: RegistryClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mooring.builder.mlflow._PAGE", 2)
    names = {mlflow.new_model() for _ in range(5)}
    for name in names:
        mlflow.new_version(name, {"production": "true"})

    found = read_registry(registry).models

    assert names <= found.keys()
    assert all(found[name].marked for name in names)


def test_an_error_says_what_mlflow_says(registry: RegistryClient) -> None:
    with pytest.raises(MlflowError, match="no-such-model") as caught:
        registry.version("no-such-model", 1)

    assert (caught.value.status, caught.value.away) == (404, False)
    assert caught.value.code == "RESOURCE_DOES_NOT_EXIST"


def test_a_server_that_is_away_is_away() -> None:
    with pytest.raises(MlflowError, match="does not answer") as caught:
        RegistryClient("http://127.0.0.1:9", timeout_seconds=2).models()

    assert caught.value.away


@pytest.fixture
def receiver() -> Iterator[tuple[str, "Queue[Delivery]"]]:
    """Takes what MLflow delivers."""
    deliveries: Queue[Delivery] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            deliveries.put((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/webhooks/mlflow", deliveries
    server.shutdown()
    server.server_close()


def test_a_live_delivery_carries_a_signature_that_we_accept(
    mlflow: MlflowServer, registry: RegistryClient, receiver: tuple[str, "Queue[Delivery]"]
) -> None:
    url, deliveries = receiver
    secret = uuid.uuid4().hex
    assert ensure_webhook(registry, "http://127.0.0.1:9/before", "an older secret")
    assert ensure_webhook(registry, url, secret)
    [ours] = [each for each in registry.webhooks() if each["name"] == "mooring"]
    assert ours["url"] == url
    assert registry.test_webhook(ours["webhook_id"])["success"]

    name = mlflow.new_model()
    mlflow.new_version(name)
    verifier = WebhookVerifier(secret)
    deadline = time.monotonic() + 60
    told: list[str | None] = []
    while name not in told:
        assert time.monotonic() < deadline, f"no delivery about {name}, only {told}"
        # MLflow looks webhooks up in a cache of its own: it may not know ours at the first time.
        mlflow.set_tag(name, 1, "production", "true")
        told += [newly_marked(body) for body in taken(deliveries, verifier)]
    registry.delete_webhook(ours["webhook_id"])


def taken(deliveries: "Queue[Delivery]", verifier: WebhookVerifier) -> list[bytes]:
    """The bodies of what was delivered, once there is something or a second is over; all genuine."""
    bodies: list[bytes] = []
    with contextlib.suppress(Empty):
        while True:
            headers, body = deliveries.get(timeout=0.1 if bodies else 1)
            assert verifier.accepts(headers, body)
            bodies.append(body)
    return bodies


def test_where_mlflow_refuses_a_webhook_polling_goes_on(registry: RegistryClient) -> None:
    assert not ensure_webhook(registry, "gopher://127.0.0.1/x", "secret")
