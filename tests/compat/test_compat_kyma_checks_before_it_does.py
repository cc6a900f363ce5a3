"""`deploy_to_kyma` refuses in words what cannot work, and shows what it would make of the rest."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mooring.compat import CompatError, deploy_to_kyma
from mooring.compat.errors import NotYetPossible
from mooring.compat.kyma import deploying, models
from mooring.compat.kyma.cluster import read_cluster
from mooring.compat.kyma.configuration import Configuration, read_configuration
from mooring.compat.kyma.images import image_of
from mooring.compat.kyma.models import StagedModel

SECRETS = {"DATABRICKS_ACCESS_TOKEN": "dapi-canary-1", "SERVICE_PRINCIPAL_PASSWORD": "pr1ncipal-canary-2"}
AZURE = {
    "DATABRICKS_URL": "https://adb-1.2.azuredatabricks.net",
    "MODEL_URI": "models:/churn/3",
    "SERVICE_NAME": "churn",
    "CONTAINER_REGISTRY_TYPE": "ACR",
    "ACR": "Harbour.azurecr.io",
    "SERVICE_PRINCIPAL_ID": "0f-11_A",
    **SECRETS,
}
AMAZON = {
    **{key: AZURE[key] for key in ("DATABRICKS_URL", "DATABRICKS_ACCESS_TOKEN", "MODEL_URI", "SERVICE_NAME")},
    "CONTAINER_REGISTRY_TYPE": "ecr",
    "PROFILE_NAME": "team",
}
CLUSTERS = {
    "clusters": [
        {"name": "other", "cluster": {"server": "https://api.other.example.com"}},
        {"name": "kyma", "cluster": {"server": "https://api.c-12.kyma.ondemand.com:443"}},
    ],
    "contexts": [{"name": "mine", "context": {"cluster": "kyma", "user": "me", "namespace": "models"}}],
    "users": [{"name": "me", "user": {"token": "kube-canary-3"}}],
    "current-context": "mine",
}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """A configuration file, with changes (None leaves a key out), beside a kubeconfig."""
    kubeconfig = tmp_path / "kubeconfig.yaml"
    kubeconfig.write_text(yaml.safe_dump(CLUSTERS))

    def written(base: dict[str, str] = AZURE, **changes: Any) -> Path:
        document = {"KUBECONFIG_PATH": str(kubeconfig), **base, **changes}
        path = tmp_path / "config.json"
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
        return path

    return written


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The model comes from nowhere; the URIs that were asked for."""
    asked: list[str] = []

    def fetch(configuration: Configuration, folder: Path) -> StagedModel:
        asked.append(configuration.model_uri)
        (folder / "MLmodel").write_text("flavors: {}")
        return StagedModel(folder, "3.11", has_requirements=True)

    monkeypatch.setattr(deploying, "fetch_model", fetch)
    return asked


def test_a_dry_run_shows_image_endpoint_and_objects(write: Any, fetched: list[str], tmp_path: Path) -> None:
    staged = deploy_to_kyma(databricks_config_path=write(NUM_REPLICAS="2"), dry_run=True, folder=tmp_path / "out")
    assert staged.endpoint == "https://churn.c-12.kyma.ondemand.com/invocations"
    assert staged.image.startswith("harbour.azurecr.io/fedml/churn:1")
    assert fetched == ["models:/churn/3"]
    service, deployment, rule = staged.manifests
    assert [each["kind"] for each in staged.manifests] == ["Service", "Deployment", "APIRule"]
    assert {(each["metadata"]["name"], each["metadata"]["namespace"]) for each in staged.manifests} == {
        ("churn", "models")
    }
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == staged.image
    assert pod["imagePullSecrets"] == [{"name": "harbour.azurecr.io-0f-11-a-secret"}]
    assert deployment["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert (rule["apiVersion"], rule["spec"]["hosts"]) == ("gateway.kyma-project.io/v2", ["churn"])
    assert list(yaml.safe_load_all(str(staged))) == staged.manifests
    assert list(yaml.safe_load_all((tmp_path / "out" / "manifests.yaml").read_text())) == staged.manifests
    assert (tmp_path / "out" / "context" / "Dockerfile").read_text() == staged.dockerfile
    assert (tmp_path / "out" / "context" / "model" / "MLmodel").exists()
    with pytest.raises(CompatError, match="is there already"):
        deploy_to_kyma(write(), dry_run=True, folder=tmp_path / "out")


def test_without_a_dry_run_everything_is_checked_and_then_refused(write: Any, fetched: list[str]) -> None:
    with pytest.raises(NotYetPossible, match="come with Kubernetes support"):
        deploy_to_kyma(write())
    assert fetched == ["models:/churn/3"]
    with pytest.raises(CompatError, match="SERVICE_NAME is missing"):
        deploy_to_kyma(write(SERVICE_NAME=None))


def test_the_registry_of_aws_is_that_of_the_profile(write: Any, fetched: list[str], tmp_path: Path) -> None:
    aws = tmp_path / "home" / ".aws"
    aws.mkdir()
    config = aws / "config"
    for lines, registry in (
        ("region = eu-central-1", "ACCOUNT.dkr.ecr.eu-central-1.amazonaws.com"),
        ("region = cn-north-1\nsso_account_id = 123456789012", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("region = a\nrole_arn = arn:aws:iam::210987654321:role/x", "210987654321.dkr.ecr.a.amazonaws.com"),
    ):
        config.write_text(f"[default]\nregion = wrong\n[profile team]\n{lines}\n")
        image = image_of(read_configuration(write(AMAZON)), "7")
        assert (image.reference, image.pull_secret) == (f"{registry}/churn:7", "team-aws-ecr")
    config.write_text("[profile team]\nregion = eu-central-1\n")
    assert any("ACCOUNT" in note for note in deploy_to_kyma(write(AMAZON), dry_run=True).notes)
    config.write_text("[profile team]\n")
    with pytest.raises(CompatError, match="no region"):
        deploy_to_kyma(write(AMAZON), dry_run=True)
    config.unlink()
    with pytest.raises(CompatError, match="no AWS profile 'team'"):
        deploy_to_kyma(write(AMAZON), dry_run=True)


@pytest.mark.parametrize(
    ("value", "overwrites"),
    [(True, True), ("true", True), ("True", True), (False, False), ("false", False), (None, False)],
)
def test_overwriting_is_asked_for_in_any_spelling(value: Any, overwrites: bool, write: Any) -> None:
    assert read_configuration(write(OVERWRITE_SERVICE=value)).overwrite is overwrites


@pytest.mark.parametrize(
    "changes",
    [
        *({key: value} for key in (*AZURE, "KUBECONFIG_PATH") for value in (None, "", 5, ["x"])),
        *({"SERVICE_NAME": name} for name in ("Churn", "1churn", "churn-", "a.b", "a/b", "x" * 64, "churn\n")),
        *({"MODEL_URI": uri} for uri in ("churn", "https://x/y", "models:/", "--help")),
        {"CONTAINER_REGISTRY_TYPE": "gcr"}, {"OVERWRITE_SERVICE": "yes"}, {"OVERWRITE_SERVICE": 1},
        {"NUM_REPLICAS": 0}, {"NUM_REPLICAS": True}, {"NUM_REPLICAS": "many"}, {"NUM_REPLICAS": 1000},
        {"DATABRICKS_URL": "adb.example.com"}, {"ACR": "a b"}, {"KUBECONFIG_PATH": "/nowhere"},
    ],
    ids=str,
)  # fmt: skip
def test_every_key_is_checked_and_named(changes: dict[str, Any], write: Any, fetched: list[str]) -> None:
    with pytest.raises(CompatError, match=next(iter(changes))) as caught:
        deploy_to_kyma(write(**changes), dry_run=True)
    assert fetched == []
    assert not any(secret in str(caught.value) for secret in SECRETS.values())


def test_all_that_is_wrong_is_told_at_once(write: Any) -> None:
    with pytest.raises(CompatError, match=r"ACR is missing.*|SERVICE_NAME .*") as caught:
        read_configuration(write(ACR=None, SERVICE_NAME="A", NUM_REPLICAS=-1))
    assert all(key in str(caught.value) for key in ("ACR is missing", "SERVICE_NAME", "NUM_REPLICAS"))


@pytest.mark.parametrize("content", ["", "{", "[]", "5", "\xff"])
def test_a_broken_configuration_is_told(content: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content, "latin-1")
    with pytest.raises(CompatError, match=r"broken\.json"):
        deploy_to_kyma(path, dry_run=True)
    with pytest.raises(CompatError, match="cannot be read"):
        deploy_to_kyma(tmp_path / "absent.json", dry_run=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"current-context": None}, "current-context"),
        ({"current-context": "gone"}, "'gone'"),
        ({"clusters": []}, "'kyma'"),
        ({"clusters": [{"name": "kyma", "cluster": {"server": "https://10.0.0.1:6443"}}]}, "domain"),
        ({"clusters": [{"name": "kyma", "cluster": {}}]}, "domain"),
        ({"contexts": "x"}, "'mine'"),
    ],
)
def test_a_kubeconfig_that_does_not_say_where_is_told(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump({**CLUSTERS, **change}))
    with pytest.raises(CompatError, match=told) as caught:
        read_cluster(path)
    assert "kube-canary-3" not in str(caught.value)


def test_no_secret_is_shown(write: Any, fetched: list[str]) -> None:
    path = write()
    shown = f"{read_configuration(path)!r}{deploy_to_kyma(path, dry_run=True)!s}{deploy_to_kyma(path, dry_run=True)!r}"
    assert not any(secret in shown for secret in (*SECRETS.values(), "kube-canary-3"))


def test_a_model_that_cannot_be_had_is_told_without_the_token(write: Any, tmp_path: Path) -> None:
    configuration = read_configuration(write(DATABRICKS_URL="http://127.0.0.1:9", MODEL_URI="dbfs:/none"))
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(CompatError, match="dbfs:/none cannot be fetched from") as caught:
        models.fetch_model(configuration, folder)
    assert "dapi-canary-1" not in str(caught.value)


def test_a_version_of_a_model_goes_into_the_dockerfile_as_digits_only(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def downloaded(*_: Any, **__: Any) -> "subprocess.CompletedProcess[str]":
        flavor = {"python_function": {"python_version": "3.9.1\nRUN evil"}}
        (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavor}))
        return subprocess.CompletedProcess([], 0, "", "")

    folder = tmp_path / "model"
    folder.mkdir()
    monkeypatch.setattr("subprocess.run", downloaded)
    model = models.fetch_model(read_configuration(write()), folder)
    assert (model.python_version, model.has_requirements) == ("3.9", False)
    (folder / "MLmodel").unlink()
    monkeypatch.setattr("subprocess.run", lambda *_, **__: subprocess.CompletedProcess([], 0, "", ""))
    with pytest.raises(CompatError, match="no file MLmodel"):
        models.fetch_model(read_configuration(write()), folder)


def test_the_command_shows_and_refuses(write: Any) -> None:
    command = [str(Path(sys.executable).parent / "mooring"), "deploy-to-kyma", str(write(NUM_REPLICAS=0)), "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "")
    assert "NUM_REPLICAS" in done.stderr
    assert "Traceback" not in done.stderr
