"""Authorised requests to one AI API server."""

import time
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from mooring.client.credentials import Credentials
from mooring.client.errors import ServerError, Unreachable, error_of
from mooring.client.tokens import TokenSource
from mooring.http_session import HttpSession, NoAnswer, Reply

PAGE_SIZE = 1000

Params = Mapping[str, str | int | None]


class ApiObject(BaseModel):
    """An object of the API as it was at one moment; fields that we do not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


ObjectT = TypeVar("ObjectT", bound=ApiObject)


class Connection:
    """Sends with token and resource group, fetches a new token once when refused, and types what comes back."""

    def __init__(self, http: HttpSession, credentials: Credentials, *, timeout_seconds: float) -> None:
        self._http = http
        self._credentials = credentials
        self._tokens = TokenSource(http, credentials)
        self._timeout_seconds = timeout_seconds

    def access_token(self) -> str:
        """Raises ApiError when there is none to be had."""
        return self._tokens.token(timeout_seconds=self._timeout_seconds)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of a 2xx answer (None when empty). Raises ApiError."""
        reply = self._send(method, path, params, body, headers or {})
        if not reply.ok:
            raise error_of(reply)
        if not reply.content:
            return None
        try:
            return reply.json()
        except ValueError as error:
            raise ServerError(reply.status, f"{method} {path}: the answer is not JSON") from error

    def read(self, kind: type[ObjectT], path: str, *, params: Params | None = None) -> ObjectT:
        """One object. Raises ApiError."""
        return parse(kind, self.call("GET", path, params=params))

    def read_all(
        self, kind: type[ObjectT], path: str, *, params: Params | None = None, page_size: int = PAGE_SIZE
    ) -> list[ObjectT]:
        """All objects of a list, page after page; one that moves between two pages comes once. Raises ApiError."""
        found: dict[str, ObjectT] = {}
        skip = 0
        while True:
            page = self._resources(path, {**(params or {}), "$top": page_size, "$skip": skip})
            fresh = {key: parse(kind, each) for each in page if (key := _identity(each)) not in found}
            found |= fresh
            skip += len(page)
            # A server that knows no paging answers the same again: nothing fresh ends it as well.
            if len(page) < page_size or not fresh:
                return list(found.values())

    def _resources(self, path: str, params: Params) -> list[object]:
        answer = self.call("GET", path, params=params)
        resources = answer.get("resources") if isinstance(answer, dict) else None
        if not isinstance(resources, list):
            raise ServerError(200, f"GET {path}: the answer has no list of resources")
        return resources

    def _send(self, method: str, path: str, params: Params | None, body: object, headers: Mapping[str, str]) -> Reply:
        deadline = time.monotonic() + self._timeout_seconds
        token = self._tokens.token(timeout_seconds=self._timeout_seconds)
        reply = self._send_with(token, method, path, params, body, headers, deadline)
        if reply.status == 401:
            self._tokens.refused(token)
            token = self._tokens.token(timeout_seconds=max(0.1, deadline - time.monotonic()))
            reply = self._send_with(token, method, path, params, body, headers, deadline)
        return reply

    def _send_with(
        self,
        token: str,
        method: str,
        path: str,
        params: Params | None,
        body: object,
        headers: Mapping[str, str],
        deadline: float,
    ) -> Reply:
        all_headers = {
            **headers,
            "Authorization": f"Bearer {token}",
            "AI-Resource-Group": self._credentials.resource_group,
            "AI-Client-Type": "Mooring",
        }
        given = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            return self._http.send(
                method,
                self._credentials.base_url + path,
                params=given,
                body=body,
                headers=all_headers,
                timeout_seconds=max(0.1, deadline - time.monotonic()),
            )
        except NoAnswer as error:
            raise Unreachable(str(error), unclear=error.sent) from error


def _identity(resource: object) -> str:
    """What a resource is told apart by: its id; the whole of it when it has none."""
    identity = resource.get("id") if isinstance(resource, dict) else None
    return str(resource if identity is None else identity)


def parse(kind: type[ObjectT], document: object) -> ObjectT:
    """Raises ServerError when the document is not what the API promises."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ServerError(200, f"the answer is no {kind.__name__}: {where}: {problem['msg']}") from error
