"""Metrics, traces and logs say what happened, and nothing of what was in it."""

import json
import logging
import threading
import timeit
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from mooring.modelserver.exposition import Exposition
from mooring.modelserver.logs import JsonFormatter
from mooring.modelserver.metrics import Metrics, protocol_of
from mooring.modelserver.observer import Observer
from mooring.modelserver.tracing import configured

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text, content_type = Exposition(metrics, lambda: True).text("")
    assert content_type.startswith("text/plain")
    families = text_string_to_metric_families(text.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_requests_are_counted_by_protocol_and_status() -> None:
    metrics = Metrics()
    for path in ("/invocations", "/m/invocations", "/invocations"):
        metrics.answered(path, 200, 0.003, 10, 20)
    metrics.answered("/v1/models/m:predict", 400, 0.2, 5, 6)
    samples = _samples(metrics)
    assert samples["mooring_request_seconds_count", "mlflow", "200"] == 3
    assert samples["mooring_request_seconds_bucket", "0.0025", "mlflow", "200"] == 0
    assert samples["mooring_request_seconds_bucket", "0.005", "mlflow", "200"] == 3
    assert samples["mooring_request_seconds_sum", "mlflow", "200"] == pytest.approx(0.009)
    assert samples["mooring_request_bytes_total", "mlflow", "200"] == 30
    assert samples["mooring_response_bytes_total", "kserve_v1", "400"] == 6
    assert samples["mooring_model_ready",] == 1
    assert samples["process_resident_memory_bytes",] > 0


def test_batches_and_the_queue_are_counted() -> None:
    metrics = Metrics()
    metrics.queue_length = lambda: 7
    metrics.batches.note(12, 3, 0.001, 0.02)
    metrics.batches.note(1, 1, 0.0, 0.01)
    metrics.refused("queue_full")
    samples = _samples(metrics)
    assert samples["mooring_requests_dropped_total", "queue_full"] == 1
    assert samples["mooring_queue_length",] == 7
    assert samples["mooring_batch_rows_sum",] == 13
    assert samples["mooring_batch_requests_bucket", "1.0"] == 1
    assert samples["mooring_batch_requests_bucket", "4.0"] == 2
    assert samples["mooring_model_seconds_sum",] == pytest.approx(0.03)
    assert samples["mooring_queue_seconds_count",] == 2


def test_openmetrics_is_written_for_those_who_ask_for_it() -> None:
    metrics = Metrics()
    metrics.answered("/invocations", 200, 3.0, 1, 1)
    text, content_type = Exposition(metrics, lambda: False).text("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    parsed = openmetrics.text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parsed}
    assert families["mooring_request_seconds"].samples
    assert families["mooring_model_ready"].samples[0].value == 0


def test_paths_that_callers_make_up_cost_no_memory() -> None:
    metrics = Metrics()
    for number in range(5000):
        metrics.answered(f"/nothing/{number}", 404, 0.001, 0, 0)
    assert len(metrics._by_path) <= 256
    assert _samples(metrics)["mooring_request_seconds_count", "other", "404"] == 5000


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/m/invocations", "mlflow"), ("/v2/models/m/versions/3/infer", "open_inference"),
        ("/m/v1/models/m:predict", "kserve_v1"), ("/m/api/v1/model/predict", "by_key"),
        ("/inference.GRPCInferenceService/ModelInfer", "grpc"), ("/ping", "other"),
    ],
)  # fmt: skip
def test_every_protocol_has_its_name(path: str, protocol: str) -> None:
    assert protocol_of(path) == protocol


def test_counting_costs_next_to_nothing() -> None:
    observer = Observer(Metrics())

    def once() -> None:
        observer.answered("id", "POST", "/invocations", (), 200, 100, 30, 0.0004)

    # Measured: 0.6 µs on a quiet machine. The bound is for what a mistake would cost, on a machine that is not.
    assert min(timeit.repeat(once, number=1000, repeat=50)) / 1000 < 10e-6


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A collector of OpenTelemetry traces; its spans."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `tracing` is not installed")
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                name = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
                spans.extend((name, span) for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield spans
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_prediction_is_a_span_below_the_callers(collector: list[Any]) -> None:
    tracing = configured("churn")
    assert tracing
    observer = Observer(Metrics(), tracing=tracing)
    headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"authorization", b"Bearer secret")]
    observer.answered("r-1", "POST", "/churn/invocations", headers, 500, 1, 2, 0.5, 0.1, 0.3)
    observer.answered("r-2", "GET", "/ping", headers, 200, 0, 2, 0.001)
    observer.close()
    spans = {span.name: span for _, span in collector}
    assert {service for service, _ in collector} == {"churn"}
    assert spans.keys() == {"POST mlflow", "queue", "model"}
    whole, model = spans["POST mlflow"], spans["model"]
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, SPAN)
    assert model.parent_span_id == whole.span_id
    assert whole.end_time_unix_nano - whole.start_time_unix_nano == 500_000_000
    assert model.end_time_unix_nano - model.start_time_unix_nano == 300_000_000
    assert whole.status.code == 2
    assert "secret" not in str(whole)


def test_nothing_is_traced_unless_a_collector_is_named() -> None:
    assert configured("m", {}) is None
    assert configured("m", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}) is None


def test_a_line_of_json_per_event() -> None:
    logger = logging.getLogger("mooring.modelserver.test")
    record = logger.makeRecord("mooring", logging.INFO, "f", 1, "request %s: %s", ("r-1", "it\nfailed"), None)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line).items() >= {
        ("level", "INFO"), ("request_id", "r-1"), ("message", "request r-1: it\nfailed")
    }  # fmt: skip
    try:
        raise ValueError("why")
    except ValueError as error:
        record = logger.makeRecord("m", logging.ERROR, "f", 1, "broken", (), (ValueError, error, error.__traceback__))
    parsed = json.loads(JsonFormatter().format(record))
    assert "ValueError: why" in parsed["error"]
    assert "request_id" not in parsed
