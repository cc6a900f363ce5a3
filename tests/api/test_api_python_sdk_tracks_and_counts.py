"""The official Python SDK: metrics from outside, key figures, and resource groups."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.label import Label
from ai_core_sdk.models import Metric, MetricCustomInfo, MetricLabel, MetricTag

EXECUTION = "e0123456789abcde"


def test_metrics(sdk: Any) -> None:
    moment = datetime(2024, 5, 1, 10, tzinfo=UTC)
    sdk.metrics.log_metrics([Metric("loss", 0.5, moment, 3, [MetricLabel("unit", "s")])], EXECUTION, "the model")
    sdk.metrics.set_tags([MetricTag("stage", "dev")], EXECUTION)
    sdk.metrics.set_custom_info([MetricCustomInfo("matrix", '{"a_b": 1}')], EXECUTION)
    sdk.metrics.modify(EXECUTION, metrics=[Metric("loss", 0.25, None)], tags=[MetricTag("stage", "prod")])
    (found,) = sdk.metrics.query(execution_ids=[EXECUTION, "e000000000000000"]).resources
    assert found.execution_id == EXECUTION
    first, second = found.metrics
    assert (first.name, first.value, first.timestamp, first.step) == ("loss", 0.5, moment, 3)
    labels = [(label.name, label.value) for label in first.labels]
    assert labels == [("unit", "s"), ("metrics.ai.sap.com/Artifact.name", "the model")]
    assert (second.value, second.step, second.labels) == (0.25, 0, [])
    assert [(tag.name, tag.value) for tag in found.tags] == [("stage", "prod")]
    assert [(info.name, info.value) for info in found.custom_info] == [("matrix", '{"a_b": 1}')]


def test_asking_for_metrics(sdk: Any) -> None:
    sdk.metrics.set_tags([MetricTag("stage", "dev")], EXECUTION)
    (found,) = sdk.metrics.query(execution_ids=[EXECUTION], select=["tags"]).resources
    assert (found.metrics, len(found.tags)) == (None, 1)
    with pytest.warns(DeprecationWarning, match="execution_ids"):
        assert sdk.metrics.query(filter=f"executionId eq '{EXECUTION}'").count == 1
    sdk.metrics.delete(EXECUTION)
    assert sdk.metrics.query(execution_ids=[EXECUTION]).count == 0
    with pytest.raises(AIAPINotFoundException):
        sdk.metrics.delete(EXECUTION)
    with pytest.raises(AIAPIInvalidRequestException):
        sdk.metrics.query()


def test_key_figures(sdk: Any, group: str) -> None:
    sdk.artifact.create("a", Artifact.Kind.MODEL, "ai://default/x", "mooring")
    kpis = sdk.kpis.query()
    assert kpis.header == ["ResourceGroup", "Executions", "Artifacts", "Deployments"]
    assert [group, 0, 1, 0] in kpis.rows


def test_resource_groups(sdk: Any, group: str) -> None:
    name = f"{group}.sdk"
    label = Label("ext.ai.sap.com/team", "red")
    for _ in range(2):
        assert sdk.resource_groups.create(name, labels=[label]).resource_group_id == name
    found = sdk.resource_groups.get(name)
    assert [(label.key, label.value) for label in found.labels] == [("ext.ai.sap.com/team", "red")]
    assert name in {item.resource_group_id for item in sdk.resource_groups.query().resources}
    assert sdk.resource_groups.query(search=name.upper(), search_case_insensitive=True).count == 1
    sdk.resource_groups.modify(name, labels=[])
    assert sdk.resource_groups.get(name).labels == []
    assert sdk.resource_groups.delete(name).id == name
    with pytest.raises(AIAPINotFoundException):
        sdk.resource_groups.get(name)
