"""A model may come from the registry or from a store; a caller cannot point the model server at anything else."""

from pathlib import Path

import pytest

from mooring.errors import InvalidRequest
from mooring.templates import model_uris
from mooring.templates.model_server import render

MODEL_ID = "m-" + "0a" * 16


@pytest.mark.parametrize(
    ("uri", "name", "version"),
    [
        ("models:/wine/3", "wine", "3"),
        ("models:/wine quality/12", "wine quality", "12"),
        ("models:/wine@champion", "wine", "champion"),
        ("models:/wine/latest", "wine", "latest"),
        (f"models:/{MODEL_ID}", MODEL_ID, "1"),
        ("runs:/0123abcd/model", "model", "1"),
        ("mlflow-artifacts:/1/models/m-1", "m-1", "1"),
        ("s3://bucket/folder/model", "model", "1"),
        ("gs://bucket/model/", "model", "1"),
        ("abfss://container@account.dfs.core.windows.net/model", "model", "1"),
        ("wasbs://container@account.blob.core.windows.net/model", "model", "1"),
        ("https://models.example.com/wine", "wine", "1"),
    ],
)
def test_what_is_allowed(uri: str, name: str, version: str) -> None:
    assert model_uris.parse(uri) == model_uris.ModelSource(uri, name, version)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "wine",
        "/etc",
        "file:///etc",
        "file://host/etc",
        "../model",
        "ftp://host/x",
        "http://models.example.com/wine",
        "gopher://x/y",
        "dbfs:/x/y",
        "models:/",
        "models:/wine",
        "models:/wine/",
        "models:/wine@",
        "models:/a/b/c",
        "models:/a:b/1",
        "models://host/wine/1",
        "models:wine/1",
        "runs:/only-a-run",
        "runs://host/run/model",
        "mlflow-artifacts://host/1/model",
        "s3:///no-bucket",
        "s3://bucket",
        "s3://bucket/a/../../b",
        "s3://bucket/a/%2e%2e/b",
        "s3://bucket/a/%252e%252e/b",
        "s3://bucket/a\\b",
        "s3://bucket/a\nb",
        "s3://bucket/a%00b",
        "https://localhost/x",
        "https://localhost./x",
        "https://127.1/x",
        "https://0x7f.0.0.1/x",
        "https://2130706433/x",
        "https://169.254.169.254./x",
        "https://metadata.google.internal./x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://10.0.0.5/x",
        "https://intranet/x",
        "https://service.internal/x",
        "https://host.example.com:port/x",
        "https://[broken/x",
        "s3://bucket/" + "x" * 2100,
    ],
)
def test_what_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="modelUri"):
        model_uris.parse(uri)


def test_credentials_in_a_uri_are_refused_and_not_repeated() -> None:
    for uri in ("https://user:hunter2@models.example.com/x", "s3://key:hunter2@bucket/x"):
        with pytest.raises(InvalidRequest, match="credentials") as raised:
            model_uris.parse(uri)
        assert "hunter2" not in raised.value.message


def test_a_local_folder_is_allowed_only_below_what_the_operator_lists(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    model = allowed / "wine"
    model.mkdir(parents=True)
    (allowed / "way-out").symlink_to(tmp_path)
    for uri in (str(model), f"file://{model}", f"file://localhost{model}"):
        source = model_uris.parse(uri, local_folders=[allowed])
        assert source == model_uris.ModelSource(str(model), "wine", "1")
    for uri in (str(tmp_path), f"{allowed}-not", str(allowed / "way-out" / "other")):
        with pytest.raises(InvalidRequest, match="operator"):
            model_uris.parse(uri, local_folders=[allowed])


def test_rendering_fills_in_defaults() -> None:
    spec = render({"modelUri": "models:/wine quality/3", "unknown": "tolerated"})
    assert (spec.model_uri, spec.model_version, spec.resource_plan) == ("models:/wine quality/3", "3", "starter")
    assert spec.model_name.startswith("wine-quality--")


def test_rendering_takes_what_is_given() -> None:
    spec = render({"modelUri": "models:/wine/3", "modelName": "red", "resourcePlan": "basic"})
    assert (spec.model_name, spec.resource_plan) == ("red", "basic")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "'modelUri' has no value"),
        ({"modelUri": "models:/wine/1", "resourcePlan": "huge"}, "starter, basic"),
        ({"modelUri": "models:/wine/1", "resourcePlan": ""}, "starter, basic"),
    ],
)
def test_rendering_names_the_parameter(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        render(parameters)
