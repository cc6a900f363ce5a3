"""`mooring serve` in the open: tokens, HTTPS, logs and metrics, and a start from the environment alone."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import mlflow
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from mooring.cli.main import app
from mooring.modelserver.access import Access, Unauthorized
from mooring.modelserver.environment import Incomplete, options_from
from mooring.modelserver.operations import Misconfigured, Operations, exposed
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.tls import Certificate

if TYPE_CHECKING:
    from tests.modelserver.conftest import Shelf

DEADLINE_SECONDS = 60.0
TOKEN, OTHER = "first-token-0123456789", "second-token-0123456789"
ORDER = {"dataframe_records": [{"order": "s3cret"}]}


def write_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return chain, secret


class Served:
    """`mooring serve` as a process, on a port of its own choice."""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.log = folder / "log"
        clean = {"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})}
        command = [str(Path(sys.executable).parent / "mooring"), "serve", *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=clean, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def url(self, until: Callable[[Callable[[], bool], Callable[[], str]], None]) -> str:
        """Where its page is, as it says itself."""
        until(lambda: bool(self._found()), self.log.read_text)
        found = self._found()
        assert found
        return found[0]

    def _found(self) -> "re.Match[str] | None":
        return re.search(r"https?://[^/\s]+/[^/\s]+/api/", self.log.read_text())

    def close(self) -> None:
        """Make sure that nothing is left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_SECONDS)


def _until(condition: Callable[[], bool], why: Callable[[], str] = str) -> None:
    from tests.modelserver.conftest import wait_until

    wait_until(condition, why)


def _is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def alone(shelf: "Shelf", tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, httpx.Client, Path]]:
    """A server with everything on, a client that trusts its certificate, and the folder of its files."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "tokens").write_text(f"# ours\n\n{TOKEN}\n")
    chain, key = write_certificate(folder, "first")
    served = Served(
        folder, str(shelf.moody), "--name", "m", "--host", "0.0.0.0", "--port", "0", "--token-file",
        str(folder / "tokens"), "--tls-cert", str(chain), "--tls-key", str(key), "--log-format", "json", "--access-log",
    )  # fmt: skip
    try:
        base = served.url(_until).replace("0.0.0.0", "localhost").removesuffix("/m/api/")
        with httpx.Client(base_url=base, verify=ssl.create_default_context(cafile=str(chain))) as http:
            _until(lambda: _is_ready(http), served.log.read_text)
            yield served, http, folder
    finally:
        served.close()


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.slow
def test_only_who_has_a_token_may_ask(alone: tuple[Served, httpx.Client, Path]) -> None:
    _, http, _ = alone
    assert http.get("/m/doc/").headers["location"] == "../api/"
    for path in ("/ping", "/health", "/livez", "/m/readyz", "/v2/health/ready", "/m/api/", "/m/api/static/page.js"):
        assert http.get(path).status_code == 200, path
    for path in ("/version", "/v2", "/v2/models/m", "/m/api/openapi.json", "/metrics", "/nothing", "/v1/models"):
        answer = http.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert http.post("/invocations", json=ORDER).json() == {
        "error_code": "UNAUTHENTICATED",
        "message": "a token is needed: send the header 'Authorization: Bearer TOKEN'",
    }
    assert http.post("/m/invocations", json=ORDER, headers=_bearer(OTHER)).status_code == 401
    assert http.post("/v2/models/m/infer", json={}, headers=_bearer("x")).json().keys() == {"error"}
    assert http.post("/m/invocations", json=ORDER, headers=_bearer(TOKEN)).json() == {"predictions": ["S3CRET"]}
    document = http.get("/m/api/openapi.json", headers=_bearer(TOKEN)).json()
    assert document["security"] == [{"token": []}]
    assert "401" in document["paths"]["/invocations"]["post"]["responses"]


@pytest.mark.slow
def test_its_log_is_json_and_has_neither_bodies_nor_tokens(alone: tuple[Served, httpx.Client, Path]) -> None:
    served, http, _ = alone
    body = json.dumps(ORDER).encode()
    http.post("/invocations", content=body, headers={**_bearer(TOKEN), "x-request-id": "mine-1"})

    def mine() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in served.log.read_text().splitlines()]
        return [line for line in lines if line.get("request_id") == "mine-1"]

    _until(lambda: bool(mine()))
    (line,) = mine()
    assert (line["logger"], line["level"]) == ("mooring.modelserver.access", "INFO")
    assert re.fullmatch(
        rf"request mine-1: POST '/invocations' 200, {len(body)} bytes in, \d+ out, [\d.]+ ms", line["message"]
    ), line
    assert "s3cret" not in served.log.read_text().lower()
    assert TOKEN not in served.log.read_text()


@pytest.mark.slow
def test_its_metrics_count_what_was_asked(alone: tuple[Served, httpx.Client, Path]) -> None:
    _, http, _ = alone

    def count(name: str) -> float:
        text = http.get("/metrics", headers=_bearer(TOKEN)).text
        found = re.search(re.escape(name) + r" ([\d.]+)", text)
        return float(found[1]) if found else 0.0

    names = ('mooring_request_seconds_count{protocol="mlflow",status="200"}', "mooring_model_seconds_count")
    before = [count(name) for name in names]
    for _ in range(3):
        assert http.post("/invocations", json=ORDER, headers=_bearer(TOKEN)).status_code == 200
    # One at a time, so each is a batch of its own.
    assert [count(name) for name in names] == [number + 3 for number in before]


@pytest.mark.slow
def test_other_machines_are_not_let_in_by_mistake(shelf: "Shelf", tmp_path: Path) -> None:
    served = Served(tmp_path, str(shelf.moody), "--host", "0.0.0.0", "--port", "0")
    try:
        assert served.process.wait(DEADLINE_SECONDS) == 2
        assert "give --token-file FILE (one token per line), or --insecure" in served.log.read_text()
    finally:
        served.close()


@pytest.mark.slow
def test_the_environment_alone_starts_it(shelf: "Shelf", tmp_path: Path) -> None:
    from tests.modelserver.test_modelserver_answers_by_key import write_features

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    experiment = client.create_experiment("e", artifact_location=str(tmp_path / "artifacts"))
    run = client.create_run(experiment).info.run_id
    client.log_param(run, "depth", "7")
    contract = "idx_cols: patient_id\ntgt_col: label\nfeat_cols: [order]\n"
    rows = "patient_id,order\np1,hello\np2,again\n"
    client.log_artifacts(
        run, str(write_features(tmp_path / "f", contract, rows, "patient_id,label\np1,1\np2,0\n")), "features"
    )
    env = {
        "MODEL_NAME": "my-model-version-3", "MODEL_VERSION": "version-3", "MODEL_SOURCE": str(shelf.moody),
        "MODEL_RUN_ID": run, "MODEL_REGISTRY_API": uri, "PORT": "0",
    }  # fmt: skip
    served = Served(tmp_path, env=env)
    try:
        page = served.url(_until).replace("0.0.0.0", "localhost")
        assert page.endswith("/my-model-version-3/api/")
        with httpx.Client(base_url=page, timeout=DEADLINE_SECONDS) as http:
            _until(lambda: served.process.poll() is not None or _is_ready_at(http), served.log.read_text)
            assert http.get("").status_code == 200
            assert http.get("v1/").json().keys() == {"Welcome"}
            asked = http.post("v1/model/predict", json={"patient_id": "p2"}).json()
            assert asked == {"patient_id": "p2", "predicted_values": ["AGAIN"], "predicted_max_value": None}
            assert http.get("v1/model/dataset").text == "patient_id,label\np1,1\np2,0\n"
            described = http.get("openapi.json").json()["info"]
            assert described["version"] == "3"
            assert "| `depth` | `7` |" in described["description"]
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(DEADLINE_SECONDS) == 0
    finally:
        served.close()


def _is_ready_at(http: httpx.Client) -> bool:
    return http.get("v1/").status_code == 200


def test_the_variables_of_service_builder_are_understood() -> None:
    env = {
        "MODEL_NAME": "churn-version-12", "MODEL_VERSION": "version-12", "MODEL_RUN_ID": "r1", "PORT": "9001",
        "MODEL_SOURCE": "s3://bucket/1/r1/artifacts/model", "MODEL_REGISTRY_API": "http://mlflow:5000/",
    }  # fmt: skip
    options = options_from(env)
    assert (options.model_name, options.model_version, options.run_id) == ("churn-version-12", "12", "r1")
    assert (options.model_uri, options.host, options.port) == (env["MODEL_SOURCE"], "0.0.0.0", 9001)
    assert env["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(Incomplete) as raised:
        options_from({"PORT": "90000", "MODEL_SOURCE": "", "MODEL_NAME": "a/b", "MODEL_RUN_ID": "r"})
    message = str(raised.value)
    for part in (
        "MODEL_SOURCE is not set",
        "PORT is not a port",
        "MLFLOW_TRACKING_URI is not set",
        "MODEL_NAME cannot",
    ):
        assert part in message


def test_without_a_model_and_an_environment_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL_NAME", "MODEL_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(app, ["serve"], env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert "the environment names no model" in result.output
    assert CliRunner().invoke(app, ["serve", "m", "--log-format", "xml"]).exit_code == 2


def test_tokens_are_taken_anew_when_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mooring.modelserver.access._LOOK_SECONDS", 0.0)
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    access = Access(path, "m")
    access.check([(b"authorization", b"bearer " + TOKEN.encode())])
    path.write_text(f"{OTHER}\r\n# {TOKEN}\n")
    access.check([(b"authorization", b"Bearer " + OTHER.encode())])
    for value in (TOKEN, f"# {TOKEN}", "", OTHER[:-1], OTHER + "x"):
        with pytest.raises(Unauthorized):
            access.check([(b"authorization", b"Bearer " + value.encode())])
    with pytest.raises(Unauthorized):
        access.check([(b"authorization", b"Basic " + OTHER.encode())])
    path.unlink()  # whoever replaces it may be in the middle of that
    access.check([(b"authorization", b"Bearer " + OTHER.encode())])
    assert TOKEN not in repr(vars(access))


@pytest.mark.parametrize("name", ["m", "v2", "api", "invocations", "metrics", "version", "v2/models/m", "doc"])
def test_no_name_of_a_model_opens_more(tmp_path: Path, name: str) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    access = Access(tmp_path / "tokens", name)
    closed = ("/invocations", "/version", "/v2", "/v2/models/m", f"/v2/models/{name}/infer", "/api/openapi.json")
    for path in (*closed, "/metrics", f"/{name}x/ping", f"/{name}/invocations", f"/{name}/api/openapi.json"):
        assert not access.is_open(path), path
    assert access.is_open("/api/static/page.js")


def test_what_is_open_is_open_under_the_models_name(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    access = Access(tmp_path / "tokens", "m")
    assert all(access.is_open(f"{prefix}{path}") for prefix in ("", "/m") for path in ("/ping", "/api/", "/livez"))


@pytest.mark.parametrize("content", [None, b"", b"\n# nothing\n", b"x" * 1_048_577])
def test_a_token_file_that_cannot_be_used_is_refused_at_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"the token file .*tokens cannot be used: "):
        Operations.of(ServeOptions("m", token_file=path))


def test_a_certificate_that_cannot_be_used_is_refused_at_start(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path, "one")
    (tmp_path / "other").mkdir()
    _, foreign = write_certificate(tmp_path / "other", "two")
    for pair in ((chain, foreign), (chain, tmp_path / "nothing"), (key, key)):
        with pytest.raises(Misconfigured, match="cannot be used: "):
            Operations.of(ServeOptions("m", tls_cert=pair[0], tls_key=pair[1]))
    with pytest.raises(Misconfigured, match="needs both"):
        Operations.of(ServeOptions("m", tls_key=key))


def test_a_new_certificate_is_used_for_new_connections(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path, "first")
    certificate = Certificate(chain, key)
    assert _presented(certificate) == "first"
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2
    (tmp_path / "new").mkdir()
    new_chain, new_key = write_certificate(tmp_path / "new", "second")
    new_chain.rename(chain)
    certificate.refresh()  # half of it: the key is still the former one
    assert _presented(certificate) == "first"
    new_key.rename(key)
    certificate.refresh()
    assert _presented(certificate) == "second"


def _presented(certificate: Certificate) -> str:
    """The common name that a client is shown, by a handshake in memory."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there)
    server = certificate.context.wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    found = x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")
    return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_only_loopback_is_open_without_a_token() -> None:
    assert exposed(ServeOptions("m"), "127.0.0.1") is None
    assert exposed(ServeOptions("m"), "::1") is None
    assert exposed(ServeOptions("m", token_file=Path("t")), "0.0.0.0") is None
    for address in ("0.0.0.0", "::", "10.0.0.7"):
        assert "--token-file" in (exposed(ServeOptions("m", host=address), address) or "")
