"""The metrics as Prometheus reads them."""

from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from mooring.modelserver.metrics import Histogram, Metrics


class Exposition:
    """One registry of our own metrics and of what the process needs (memory, processor, files)."""

    def __init__(self, metrics: Metrics, is_ready: Callable[[], bool]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Ours(metrics, is_ready))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def text(self, accept: str) -> tuple[bytes, str]:
        """Body and content type: OpenMetrics for those who ask for it, Prometheus' text format otherwise."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _Ours(Collector):
    def __init__(self, metrics: Metrics, is_ready: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._is_ready = is_ready

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("mooring_model_ready", "1 once the model is loaded and exercised", self._is_ready())
        yield from self._requests()
        yield from self._batches()

    def _requests(self) -> Iterator[Metric]:
        labels = ("protocol", "status")
        seconds = HistogramMetricFamily("mooring_request_seconds", "From head to answer", labels=labels)
        received = CounterMetricFamily("mooring_request_bytes", "Bodies of requests", labels=labels)
        sent = CounterMetricFamily("mooring_response_bytes", "Bodies of answers", labels=labels)
        for (protocol, status), series in self._metrics.by_protocol().items():
            values = (protocol, str(status))
            seconds.add_metric(values, *_buckets(series.seconds))
            received.add_metric(values, series.received)
            sent.add_metric(values, series.sent)
        yield from (seconds, received, sent)

    def _batches(self) -> Iterator[Metric]:
        metrics, batches = self._metrics, self._metrics.batches
        for name, text, histogram in (
            ("mooring_batch_rows", "Rows per batch", batches.rows),
            ("mooring_batch_requests", "Requests per batch", batches.requests),
            ("mooring_queue_seconds", "How long the oldest request of a batch has waited", batches.wait),
            ("mooring_model_seconds", "How long the model was busy with a batch", batches.model),
        ):
            buckets, total = _buckets(histogram)
            yield HistogramMetricFamily(name, text, buckets=buckets, sum_value=total)
        yield GaugeMetricFamily("mooring_queue_length", "Requests that wait for the model", metrics.queue_length())
        dropped = CounterMetricFamily(
            "mooring_requests_dropped", "Requests given up before they were predicted", labels=("reason",)
        )
        for reason, count in tuple(metrics.drops.items()):
            dropped.add_metric((reason,), count)
        yield dropped


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(map(float, histogram.counts)), strict=True)), histogram.total
