"""What a destination holds that leads to a deployment."""

from collections.abc import Mapping

from mooring.client.credentials import Credentials
from mooring.client.deployments import Deployment
from mooring.client.destinations import DestinationClient
from mooring.client.errors import NotFound

_DESCRIPTION = "Set by mooring deploy"


def facts(credentials: Credentials) -> dict[str, str]:
    """All but name and URL: whoever calls it gets a token of the AI API, and the resource group's header."""
    return {
        "Description": _DESCRIPTION,
        "Type": "HTTP",
        "ProxyType": "Internet",
        "Authentication": "OAuth2ClientCredentials",
        "tokenServiceURL": credentials.auth_url,
        "tokenServiceURLType": "Dedicated",
        "clientId": credentials.client_id,
        "clientSecret": credentials.client_secret,
        # Without it, callers would have to know the resource group.
        "URL.headers.AI-Resource-Group": credentials.resource_group,
    }


def of_name(name: str, service: DestinationClient) -> dict[str, str] | None:
    """What it holds, secrets included; None when there is none of this name. Raises ApiError."""
    try:
        return service.get(name)
    except NotFound:
        return None


def url_of(deployment: Deployment, base_url: str) -> str:
    """Its own, or the one that it is going to have: both servers make it of the id."""
    return (deployment.deployment_url or f"{base_url}/inference/deployments/{deployment.id}").rstrip("/")


def differences(there: Mapping[str, object], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The names of what is not as wanted. What more there is stays; a secret that is not shown counts as right."""
    return tuple(
        key
        for key, value in wanted.items()
        if there.get(key) != value and not (key == "clientSecret" and key not in there) and key != "Description"
    )
