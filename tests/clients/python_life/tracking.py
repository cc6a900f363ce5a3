"""Metrics, tags and further information of executions; how many objects there are."""

import os
import uuid
from datetime import UTC, datetime
from unittest.mock import patch

from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException, AIAPIServerException
from ai_core_sdk.models import Metric, MetricCustomInfo, MetricLabel, MetricTag

from tests.clients.python_life.world import World, refused, world_of_environment


def metrics(world: World) -> None:
    client, execution = world.core.metrics, f"e{uuid.uuid4().hex[:15]}"
    when = datetime(2024, 5, 1, 10, tzinfo=UTC)
    client.log_metrics([Metric("accuracy", 0.5, when, 1, [MetricLabel("fold", "one")])], execution)
    client.log_metrics([Metric("loss", 3, None)], execution, artifact_name="model")
    client.set_tags([MetricTag("stage", "test")], execution)
    client.set_custom_info([MetricCustomInfo("matrix", '{"a": [1, 2]}')], execution)
    client.modify(execution, [Metric("accuracy", 0.75, when, 2)], [MetricTag("stage", "live")])
    (found,) = client.query(execution_ids=[execution]).resources
    assert sorted((metric.name, metric.value, metric.step) for metric in found.metrics) == [
        ("accuracy", 0.5, 1),
        ("accuracy", 0.75, 2),
        ("loss", 3, 0),
    ]
    assert all(metric.timestamp is not None for metric in found.metrics)
    labels = {label.name: label.value for metric in found.metrics for label in metric.labels}
    assert labels == {"fold": "one", "metrics.ai.sap.com/Artifact.name": "model"}
    assert [(tag.name, tag.value) for tag in found.tags] == [("stage", "live")]
    assert [info.value for info in found.custom_info] == ['{"a": [1, 2]}']
    (only_tags,) = client.query(execution_ids=[execution], select=["tags"]).resources
    assert (only_tags.tags[0].value, only_tags.metrics) == ("live", None)
    assert client.query(filter=f"executionId eq '{execution}'").resources[0].execution_id == execution
    refused(client.query, AIAPIInvalidRequestException)
    client.delete(execution)
    refused(lambda: client.delete(execution), AIAPINotFoundException)


def metrics_from_inside(world: World) -> None:
    """As in a container: without a token. 2.x: its own execution wins over the argument; 3.x: the argument wins."""
    mine = os.environ["LIFE_EXECUTION_ID"]
    inside = {"AICORE_EXECUTION_ID": mine, "AICORE_TRACKING_ENDPOINT": os.environ["LIFE_TRACKING_ENDPOINT"]}
    with patch.dict(os.environ, inside):
        client = world_of_environment().core.metrics
        client.log_metrics([Metric("loss", 0.25, None)])
        if world.generation == 2:
            client.set_tags([MetricTag("who", "me")], "e000000000000000")
        else:
            forbidden = refused(
                lambda: client.set_tags([MetricTag("who", "me")], "e000000000000000"), AIAPIServerException
            )
            assert forbidden.status_code == 403
            client.set_tags([MetricTag("who", "me")])
    (found,) = world.core.metrics.query(execution_ids=[mine]).resources
    assert [(metric.name, metric.value) for metric in found.metrics] == [("loss", 0.25)]
    assert [(tag.name, tag.value) for tag in found.tags] == [("who", "me")]


def kpis(world: World) -> None:
    answer = world.core.kpis.query()
    assert answer.header == ["ResourceGroup", "Executions", "Artifacts", "Deployments"]
    mine = next(row for row in answer.rows if row[0] == world.group)
    assert mine[2] == world.core.artifact.count()
