"""Where git servers tell of pushes, so that nobody waits for the next look at a repository."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from mooring.api import push_signatures
from mooring.api.context import ApiContext
from mooring.api.dependencies import Context
from mooring.domain import git_pushes
from mooring.errors import InvalidRequest, Unauthorized
from mooring.services import applications

router = APIRouter(tags=["Webhook"])


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/webhooks/git", status_code=204)
def take_push(context: Context, request: Request, body: Annotated[bytes, Depends(_body)]) -> Response:
    """Takes a push that GitHub (`X-Hub-Signature-256`) or GitLab (`X-Gitlab-Token`) tells of; no token is needed.

    Applications of the pushed repository are synced. What was told before may be told again: that changes nothing.
    """
    if not push_signatures.is_signed(request.headers, body, context.git_webhook_secret):
        raise Unauthorized(
            "the signature of the event is wrong: give the webhook the secret of this installation's git webhook"
        )
    if push_signatures.tells_of_push(request.headers):
        _sync(context, body)
    return Response(status_code=204)


def _sync(context: ApiContext, body: bytes) -> None:
    try:
        places = git_pushes.places_in(body)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    with context.database.transaction() as session:
        asked = applications.pushed(session, places)
    if asked:
        context.wake()
