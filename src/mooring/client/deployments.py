"""Deployments: made, changed, watched, stopped and removed."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import JsonValue

from mooring.client import logs
from mooring.client.connection import PAGE_SIZE, ApiObject, Connection, parse
from mooring.client.logs import LogLine
from mooring.client.rollouts import Rollout


class DeploymentFailed(Exception):
    """It is DEAD, was stopped, or went back, instead of running what it was asked to; the message holds the server's
    reason."""


class WaitTimeout(Exception):
    """It was not where it was waited for within the time."""


class Deployment(ApiObject):
    """As the server says it is. `latest_running_configuration_id` is the configuration that serves."""

    id: str
    configuration_id: str
    status: str
    configuration_name: str | None = None
    executable_id: str | None = None
    scenario_id: str | None = None
    deployment_url: str | None = None
    status_message: str | None = None
    status_details: JsonValue = None
    target_status: str | None = None
    last_operation: str | None = None
    latest_running_configuration_id: str | None = None
    ttl: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    submission_time: datetime | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None

    def runs(self, configuration_id: str | None = None) -> bool:
        """Whether it serves, and with this configuration. (Not every server says which one serves.)"""
        serving = self.latest_running_configuration_id or self.configuration_id
        wanted = configuration_id or serving
        return self.status == "RUNNING" and self.configuration_id == wanted == serving

    def is_watched(self) -> bool:
        """Whether the server may still take its configuration back."""
        return self._detail("rollout").get("state") in ("starting", "watched")

    def returned_from(self, configuration_id: str) -> str | None:
        """Why the server has taken this configuration back; None when it has not."""
        returned = self._detail("returned")
        if self.configuration_id == configuration_id or returned.get("fromConfigurationId") != configuration_id:
            return None
        return str(returned.get("reason", ""))

    def _detail(self, name: str) -> Mapping[str, JsonValue]:
        details = self.status_details.get(name) if isinstance(self.status_details, dict) else None
        return details if isinstance(details, dict) else {}


class _Created(ApiObject):
    id: str


class Deployments:
    """`/lm/deployments`. Every method raises ApiError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, configuration_id: str, *, ttl: str | None = None, rollout: Rollout | None = None) -> str:
        """Its id; it is not running yet. `ttl` is a number with m, h or d."""
        body = {"configurationId": configuration_id} | ({"ttl": ttl} if ttl else {})
        headers = rollout.headers if rollout else None
        return parse(_Created, self._connection.call("POST", "/lm/deployments", body=body, headers=headers)).id

    def get(self, deployment_id: str) -> Deployment:
        return self._connection.read(Deployment, _path(deployment_id))

    def list(
        self,
        *,
        scenario_id: str | None = None,
        executable_ids: Sequence[str] = (),
        configuration_id: str | None = None,
        status: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> list[Deployment]:
        """All of them, over all pages."""
        params = {
            "scenarioId": scenario_id,
            "executableIds": ",".join(executable_ids) or None,
            "configurationId": configuration_id,
            "status": status,
        }
        return self._connection.read_all(Deployment, "/lm/deployments", params=params, page_size=page_size)

    def change_configuration(
        self, deployment_id: str, configuration_id: str, *, rollout: Rollout | None = None
    ) -> None:
        """PATCH: accepted, not done; see `wait`. Id and URL stay."""
        headers = rollout.headers if rollout else None
        self._connection.call(
            "PATCH", _path(deployment_id), body={"configurationId": configuration_id}, headers=headers
        )

    def stop(self, deployment_id: str) -> None:
        """PATCH: a stopped deployment cannot be started again, only deleted."""
        self._connection.call("PATCH", _path(deployment_id), body={"targetStatus": "STOPPED"})

    def delete(self, deployment_id: str) -> None:
        """Only from UNKNOWN, DEAD or STOPPED; PreconditionFailed (some servers: BadRequest) otherwise."""
        self._connection.call("DELETE", _path(deployment_id))

    def logs(
        self,
        deployment_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        top: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[LogLine]:
        """Its lines from `start` (the server's default: an hour ago) to `end`, at most `top` (1 to 5000)."""
        path = _path(deployment_id)
        return logs.read(self._connection, path, start=start, end=end, top=top, newest_first=newest_first)

    def wait(
        self,
        deployment_id: str,
        *,
        configuration_id: str | None = None,
        timeout_seconds: float,
        poll_seconds: float = 0.5,
    ) -> Deployment:
        """Until it runs, with this configuration if one is given.

        Raises DeploymentFailed when it ends instead, WaitTimeout, and ApiError (which ends the waiting).
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            deployment = self.get(deployment_id)
            if deployment.runs(configuration_id):
                return deployment
            if deployment.status in ("DEAD", "STOPPED", "STOPPING"):
                reason = deployment.status_message or "the server gives no reason"
                raise DeploymentFailed(f"deployment {deployment_id} is {deployment.status}: {reason}")
            if configuration_id and (why := deployment.returned_from(configuration_id)) is not None:
                raise DeploymentFailed(f"deployment {deployment_id} went back to what served before: {why}")
            if time.monotonic() + poll_seconds >= deadline:
                raise WaitTimeout(
                    f"deployment {deployment_id} is {deployment.status} after {timeout_seconds:g} s, not RUNNING"
                )
            time.sleep(poll_seconds)


def _path(deployment_id: str) -> str:
    return f"/lm/deployments/{quote(deployment_id, safe='')}"
