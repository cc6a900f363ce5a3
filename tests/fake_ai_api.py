"""An AI API server in memory, on a real socket: for what calls the API, where the real one cannot be made to fail.

It follows the state machine of the API: a deployment is UNKNOWN, then PENDING, and then what `outcome` says of its
parameters; a change of configuration keeps the old one running until the new one runs.
"""

import json
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Outcome = Callable[[Mapping[str, str]], str]
Object = dict[str, Any]
Answer = tuple[int, object]


class FakeAiApi:
    """`with FakeAiApi() as api:` serves at `api.url`; `outcome(parameters)` is RUNNING, DEAD or PENDING."""

    client_id = "sb-client!b1|aicore"
    client_secret = "se/cr+et=&"

    def __init__(self, outcome: Outcome = lambda _: "RUNNING") -> None:
        self.outcome = outcome
        self.token_seconds = 43199
        self.tokens_given = 0
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: deque[tuple[int, dict[str, str], bytes]] = deque()
        self.configurations: dict[str, Object] = {}
        self.deployments: dict[str, Object] = {}
        self.groups: dict[str, Object] = {"default": {"resourceGroupId": "default", "status": "PROVISIONED"}}
        self.lock = threading.RLock()
        self._tokens: set[str] = set()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on; what is known is kept."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def service_key(self) -> Object:
        return {
            "clientid": self.client_id,
            "clientsecret": self.client_secret,
            "url": self.url,
            "serviceurls": {"AI_API_URL": self.url},
        }

    def fail_next(
        self, status: int, *, count: int = 1, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Answer the next requests (tokens apart) with this."""
        self.faults.extend([(status, headers or {}, body)] * count)

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def count(self, method: str, path: str) -> int:
        with self.lock:
            return sum(1 for each in self.requests if each == (method, path))

    def add_configuration(self, name: str, parameters: Mapping[str, str]) -> str:
        """A configuration of the model server, as a client would have made it."""
        bindings = [{"key": key, "value": value} for key, value in parameters.items()]
        body = {"name": name, "scenarioId": "mooring", "executableId": "model-server"}
        return str(self._create_configuration(body | {"parameterBindings": bindings})[1]["id"])

    def add_deployment(self, configuration_id: str, **fields: object) -> str:
        """A deployment with these fields, as it may be found."""
        deployment_id = str(self._create_deployment({"configurationId": configuration_id})[1]["id"])
        self.deployments[deployment_id].update(fields)
        return deployment_id

    def kill(self, deployment_id: str, message: str) -> None:
        """What runs dies."""
        with self.lock:
            self.deployments[deployment_id].update(status="DEAD", statusMessage=message)

    # what follows is the server's side

    def token(self, form: Mapping[str, list[str]]) -> Answer:
        if (form.get("client_id"), form.get("client_secret")) != ([self.client_id], [self.client_secret]):
            return 401, {"error": "unauthorized", "error_description": "Bad credentials"}
        with self.lock:
            self.tokens_given += 1
            token = f"token-{self.tokens_given}"
            self._tokens.add(token)
        return 200, {"access_token": token, "expires_in": self.token_seconds, "token_type": "bearer"}

    def accepts(self, authorization: str) -> bool:
        return authorization.removeprefix("Bearer ") in self._tokens

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Object) -> Answer:
        with self.lock:
            self._advance()
            found: list[Object] | Answer | None = None
            match path.strip("/").split("/")[1:]:
                case ["admin", "resourceGroups"]:
                    found = self._groups(method, body)
                case ["lm", "configurations", *rest]:
                    found = self._configurations(method, rest, query, body)
                case ["lm", "deployments", *rest]:
                    found = self._deployments(method, rest, body)
                case ["lm", "scenarios"]:
                    found = [{"id": "mooring", "name": "Mooring"}]
                case ["lm", "scenarios", _, "executables"]:
                    found = [{"id": "model-server", "deployable": True, "scenarioId": "mooring"}]
        if found is None:
            return _error(404, f"no such object: {path}", target=path)
        return _page(found, query) if isinstance(found, list) else found

    def _groups(self, method: str, body: Object) -> list[Object] | Answer:
        if method == "GET":
            return list(self.groups.values())
        group = body["resourceGroupId"]
        self.groups[group] = {"resourceGroupId": group, "status": "PROVISIONED"}
        return 202, {"resourceGroupId": group}

    def _configurations(
        self, method: str, rest: list[str], query: Mapping[str, str], body: Object
    ) -> list[Object] | Answer | None:
        match rest:
            case [] if method == "POST":
                return self._create_configuration(body)
            case []:
                return [c for c in self.configurations.values() if query.get("$search", "") in c["name"]]
            case [key] if key in self.configurations:
                return 200, self.configurations[key]
        return None

    def _deployments(self, method: str, rest: list[str], body: Object) -> list[Object] | Answer | None:
        match rest:
            case [] if method == "POST":
                return self._create_deployment(body)
            case []:
                return list(self.deployments.values())
            case [key] if key in self.deployments:
                return self._deployment(method, self.deployments[key], body)
            case [key, "logs"] if key in self.deployments:
                line = {"timestamp": "2025-01-02T03:04:05Z", "msg": "hello\n"}
                return 200, {"data": {"result": [line]}}
        return None

    def _create_configuration(self, body: Object) -> tuple[int, Object]:
        key = str(uuid.uuid4())
        self.configurations[key] = {"id": key, "createdAt": _now(), "inputArtifactBindings": []} | body
        return 201, {"id": key, "message": "Configuration created"}

    def _create_deployment(self, body: Object) -> tuple[int, Object]:
        key = "d" + uuid.uuid4().hex[:15]
        self.deployments[key] = {"id": key, "status": "UNKNOWN", "targetStatus": "RUNNING", "createdAt": _now()}
        self.deployments[key] |= {"configurationId": body["configurationId"], "lastOperation": "CREATE"}
        return 202, {"id": key, "message": "Deployment scheduled.", "status": "UNKNOWN", "deploymentUrl": ""}

    def _deployment(self, method: str, deployment: Object, body: Object) -> Answer:
        if method == "GET":
            return 200, deployment
        status = deployment["status"]
        allowed = ("UNKNOWN", "DEAD", "STOPPED") if method == "DELETE" else ("RUNNING", "PENDING", "DEAD")
        if status not in allowed:
            return _error(412, f"deployment is {status}", code="01010076")
        if method == "DELETE":
            deployment["targetStatus"] = "DELETED"
        elif "targetStatus" in body:
            deployment["targetStatus"] = body["targetStatus"]
        elif body["configurationId"] == deployment["configurationId"]:
            return _error(400, "deployment uses this configuration already")
        else:
            deployment |= {"configurationId": body["configurationId"], "status": "PENDING"}
        return 202, {"id": deployment["id"], "message": "Deployment modification scheduled"}

    def _advance(self) -> None:
        for key, deployment in list(self.deployments.items()):
            if deployment["targetStatus"] == "DELETED":
                del self.deployments[key]
            elif deployment["targetStatus"] == "STOPPED":
                deployment["status"] = "STOPPED"
            elif deployment["status"] == "UNKNOWN":
                deployment["status"] = "PENDING"
            elif deployment["status"] == "PENDING":
                self._finish(deployment)

    def _finish(self, deployment: Object) -> None:
        configuration = self.configurations[deployment["configurationId"]]
        parameters = {each["key"]: each["value"] for each in configuration["parameterBindings"]}
        deployment["status"] = self.outcome(parameters)
        if deployment["status"] == "RUNNING":
            deployment["latestRunningConfigurationId"] = deployment["configurationId"]
            deployment["statusMessage"] = ""
        elif deployment["status"] == "DEAD":
            deployment["statusMessage"] = f"{parameters.get('modelUri')} cannot be loaded"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        for connection in self._connections:  # a server that is gone keeps no connection alive
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _handler(api: FakeAiApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are written apart: each answer would wait 40 ms otherwise

        def _serve(self) -> None:
            address = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            if address.path == "/oauth/token":
                return self._reply(*api.token(parse_qs(content.decode())))
            with api.lock:
                api.requests.append((self.command, address.path))
                api.headers.append({key.lower(): value for key, value in self.headers.items()})
                fault = api.faults.popleft() if api.faults else None
            if fault:
                return self._write(*fault)
            if not api.accepts(self.headers.get("authorization", "")):
                return self._write(401, {}, b"Jwt is expired")
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            return self._reply(*api.answer(self.command, address.path, query, json.loads(content) if content else {}))

        def _reply(self, status: int, document: object) -> None:
            self._write(status, {"content-type": "application/json"}, json.dumps(document).encode())

        def _write(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the tests look at `requests`."""

    return Handler


def _page(resources: list[Object], query: Mapping[str, str]) -> Answer:
    skip, top = int(query.get("$skip", 0)), int(query.get("$top", 10000))
    page = resources[skip : skip + top]
    return 200, {"count": len(page), "resources": page}


def _error(status: int, message: str, *, code: str = "01000400", target: str = "") -> Answer:
    envelope = {"code": code, "message": message, "requestId": "r-1", "target": target}
    return status, {"error": envelope}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1000000:06d}Z"
