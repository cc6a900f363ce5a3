"""Access tokens by OAuth 2 client credentials, in every form that clients of the AI API use."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context
from mooring.api.token_requests import TokenRequest
from mooring.domain.roles import Role
from mooring.services import clients
from mooring.store.tables import Client

router = APIRouter(prefix="/oauth", tags=["Token"])


async def _token_request(request: Request) -> TokenRequest:
    return TokenRequest.parse(request.headers, request.query_params, await request.body())


@router.post("/token")
def issue_token(context: Context, asked: Annotated[TokenRequest, Depends(_token_request)]) -> Response:
    """Client id and secret by HTTP Basic or in the form; `grant_type=client_credentials` in the form or the query."""
    client = _authenticated(context, asked)
    if client is None:
        return _refusal(401, "unauthorized", "Bad credentials", basic=asked.by_header)
    if asked.grant_type is None:
        return _refusal(400, "invalid_request", "Missing grant type")
    if asked.grant_type != "client_credentials":
        return _refusal(400, "unsupported_grant_type", "Only client_credentials is supported")
    issued = context.tokens.issue(client.id, Role(client.role), client.groups, not_before=client.tokens_valid_from)
    content = {
        "access_token": issued.value,
        "token_type": "bearer",
        "expires_in": issued.expires_in,
        "scope": issued.scope,
        "jti": issued.jti,
    }
    return answers.json(content, headers={"Cache-Control": "no-store"})


@router.get("/keys")
async def get_keys(context: Context) -> Response:
    """The public keys that tokens can be verified with."""
    return Response(context.tokens.key_set(), media_type="application/json")


def _authenticated(context: Context, asked: TokenRequest) -> Client | None:
    with context.database.reading() as session:
        for credentials in asked.credentials:
            client = clients.authenticate(session, credentials.client_id, credentials.secret)
            if client is not None:
                return client
    return None


def _refusal(status: int, error: str, description: str, *, basic: bool = False) -> Response:
    headers = {"Cache-Control": "no-store"}
    if basic:  # otherwise a browser would show a window of its own over our documentation page
        headers["WWW-Authenticate"] = 'Basic realm="mooring"'
    return answers.json({"error": error, "error_description": description}, status, headers)
