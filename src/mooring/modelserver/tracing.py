"""A span per prediction, for whoever collects OpenTelemetry traces; only imported when that is configured."""

import importlib
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mooring import __version__
from mooring.modelserver.metrics import protocol_of

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter

_logger = logging.getLogger("mooring.modelserver")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_FLUSH_SECONDS = 3.0
_NANO = 1_000_000_000


class Tracing:
    """Makes spans afterwards, from what was measured, so that a request carries nothing along."""

    def __init__(self, model: str, exporter: "SpanExporter") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # A provider of our own and not the process's: what the model does with OpenTelemetry is its own affair.
        self._provider = TracerProvider(resource=Resource.create(_service(model)))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("mooring.modelserver", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def note(
        self,
        request_id: str,
        method: str,
        path: str,
        headers: Iterable[tuple[bytes, bytes]],
        status: int,
        seconds: float,
        waited: float,
        predicted: float,
    ) -> None:
        """One answer that has just been written; probes and pages make no span."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        protocol = protocol_of(path)
        if protocol == "other":
            return
        end = time.time_ns()
        facts: dict[str, str | int] = {
            "http.request.method": method, "url.path": path[:200], "http.response.status_code": status,
            "mooring.protocol": protocol, "mooring.request_id": request_id,
        }  # fmt: skip
        span = self._tracer.start_span(
            f"{method} {protocol}", self._parent(headers), SpanKind.SERVER, facts, start_time=end - int(seconds * _NANO)
        )
        # Only how long each part took is known: they are laid back to back before the answer.
        begun = end - int(predicted * _NANO)
        self._part("queue", set_span_in_context(span), begun - int(waited * _NANO), begun)
        self._part("model", set_span_in_context(span), begun, end)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def flush(self) -> None:
        """Send what is left, within a few seconds."""
        sender = threading.Thread(target=self._provider.shutdown, name="flush-spans", daemon=True)
        sender.start()
        sender.join(_FLUSH_SECONDS)

    def _parent(self, headers: Iterable[tuple[bytes, bytes]]) -> "Context":
        carrier = {n.decode(): v.decode("latin-1") for n, v in headers if n in (b"traceparent", b"tracestate")}
        return self._propagator.extract(carrier)

    def _part(self, name: str, parent: "Context", start: int, end: int) -> None:
        if end > start:
            self._tracer.start_span(name, parent, start_time=start).end(end)


def configured(model: str, environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """As the standard variables (`OTEL_*`) say; None when they name no collector."""
    if not any(environ.get(name) for name in _ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        exporter: SpanExporter = importlib.import_module(_EXPORTER).OTLPSpanExporter()
    except ModuleNotFoundError:
        _logger.warning("a collector of traces is configured, but nothing can send to it: install mooring[tracing]")
        return None
    return Tracing(model, exporter)


def _service(model: str) -> dict[str, str]:
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {} if named else {"service.name": model}
