"""`mooring ls`, `logs` and `predict`: what a client of the AI API does, against the local installation or AICORE_*."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mooring.cli.options import HomeOption, home_from

if TYPE_CHECKING:
    from mooring.client.client import AIClient
    from mooring.client.configurations import Configuration
    from mooring.client.deployments import Deployment, Deployments
    from mooring.client.executions import Executions

_FOLLOW_SECONDS = 1.0
_OVER = ("COMPLETED", "DEAD", "STOPPED")


def _sendable(name: str) -> str:
    """It travels in a header, which takes nothing else; whether there is such a group, the server knows."""
    if name.isascii() and name.isprintable():
        return name
    raise typer.BadParameter(f"{name!r} is no resource group: they have letters, digits, dots and hyphens")


GroupOption = Annotated[
    str,
    typer.Option(
        "--resource-group", "-g", envvar="AICORE_RESOURCE_GROUP", help="The resource group.", callback=_sendable
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("ls", help="List the deployments, with status and URL; or the executions.")(ls)
    app.command(
        "logs",
        help="Print the logs of a deployment (d…) or of an execution (e…).\n\nExample:\n\n"
        "    mooring logs d1a2b3c4d5e6f701 --follow",
    )(logs)
    app.command(
        "predict",
        help="Ask a model: DATA is a JSON body, @FILE, or - for standard input.\n\nExample:\n\n"
        "    mooring predict http://127.0.0.1:8080/models/iris '{\"inputs\": [[5.1, 3.5, 1.4, 0.2]]}'",
    )(predict)


def ls(
    home: HomeOption = None,
    resource_group: GroupOption = "default",
    executions: Annotated[bool, typer.Option("--executions", "-e", help="List the executions instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    with _client(home, resource_group) as client:
        if executions:
            _list_executions(client, as_json=as_json)
        else:
            _list_deployments(client, as_json=as_json)


def _list_executions(client: "AIClient", *, as_json: bool) -> None:
    from mooring.cli.tables import print_executions

    found = client.executions.list()
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json", by_alias=True) for each in found], indent=2))
    else:
        print_executions(found)


def _list_deployments(client: "AIClient", *, as_json: bool) -> None:
    from mooring.cli.tables import print_deployments

    found = client.deployments.list()
    configurations = {each.id: each for each in client.configurations.list()}
    models = {d.id: _model_url(d, configurations.get(d.configuration_id)) for d in found}
    if as_json:
        listed = [{**d.model_dump(mode="json", by_alias=True), "modelUrl": models[d.id]} for d in found]
        typer.echo(json.dumps(listed, indent=2))
    else:
        print_deployments(found, models)


def logs(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The deployment or the execution.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come, until it ends.")] = False,
    since_minutes: Annotated[int, typer.Option("--since", min=1, help="Minutes to look back.")] = 60,
    home: HomeOption = None,
    resource_group: GroupOption = "default",
) -> None:
    from mooring.client.log_tail import LogTail

    start = datetime.now(UTC) - timedelta(minutes=since_minutes)
    with _client(home, resource_group) as client:
        owners = _owners(client, identifier)
        tail = LogTail(owners, identifier, start)
        while True:
            for line in tail.new():
                typer.echo(f"{line.timestamp:%Y-%m-%dT%H:%M:%S.%f}Z {line.pod} {line.msg.rstrip()}")
            if tail.more:
                continue
            if not follow or owners.get(identifier).status in _OVER:
                return
            time.sleep(_FOLLOW_SECONDS)


def _owners(client: "AIClient", identifier: str) -> "Deployments | Executions":
    """What an id belongs to shows in its first letter, here and on SAP AI Core."""
    return client.executions if identifier.startswith("e") else client.deployments


def predict(
    url: Annotated[str, typer.Argument(metavar="URL", help="A deployment's or a model's URL.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="JSON, @FILE, or - for standard input.")],
    home: HomeOption = None,
    resource_group: GroupOption = "default",
) -> None:
    import httpx

    from mooring.cli.failures import CannotReach

    target = url if url.rstrip("/").endswith("/invocations") else f"{url.rstrip('/')}/invocations"
    with _client(home, resource_group) as client:
        headers = {
            "Authorization": f"Bearer {client.access_token()}",
            "AI-Resource-Group": resource_group,
            "Content-Type": "application/json",
        }
    try:
        answer = httpx.post(target, content=_body(data), headers=headers, timeout=120)
    except httpx.TransportError as error:
        raise CannotReach(f"{target} does not answer: {error}") from error
    typer.echo(answer.text)
    if not answer.is_success:
        raise typer.Exit(1)


def _model_url(deployment: "Deployment", configuration: "Configuration | None") -> str | None:
    """The static URL of a deployment that the builder made for a registered model."""
    if configuration is None or deployment.deployment_url is None:
        return None
    from mooring.domain.model_names import url_name

    bindings = configuration.parameters
    if set(bindings) != {"modelUri", "modelName"} or not bindings["modelUri"].startswith("models:/"):
        return None
    base, _, _ = deployment.deployment_url.partition("/v2/inference/")
    return f"{base}/models/{url_name(bindings['modelName'])}" if base else None


def _client(home: Path | None, resource_group: str) -> "AIClient":
    """AICORE_* in the environment first (any AI API server), else the service key of the home."""
    from mooring.client.client import AIClient

    if home is None and os.environ.get("AICORE_CLIENT_ID"):
        os.environ["AICORE_RESOURCE_GROUP"] = resource_group  # which is the variable's value unless the option is given
        return AIClient.from_env()
    from mooring.system.errors import CannotStart

    key = home_from(home).service_key
    if not key.exists():
        raise CannotStart(f"there is no service key at {key}: start Mooring (`mooring up`), or set AICORE_*.")
    return AIClient.from_service_key(key, resource_group=resource_group)


def _body(data: str) -> bytes:
    if data == "-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        try:
            return Path(data[1:]).read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"cannot read {data[1:]}: {error.strerror}", param_hint="DATA") from error
    return data.encode()
