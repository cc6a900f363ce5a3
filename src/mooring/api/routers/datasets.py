"""Dataset files: put into a resource group's object store, read and removed there, in pieces and never whole in memory.

Only files whose store is the installation's own, or of a type that `artifacts/object_stores` knows, can be reached.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from mooring.api import answers
from mooring.api.context import ApiContext
from mooring.api.dependencies import Context, Group
from mooring.api.file_threads import FileThreads
from mooring.api.schemas.datasets import DatasetFileCreated
from mooring.errors import InvalidRequest, NotFound
from mooring.services import datasets
from mooring.services.datasets import Content, FileStore, Upload

PATH = "/v2/lm/dataset/files"
router = APIRouter(prefix=PATH, tags=["Dataset"])

FilePath = Annotated[
    str, Path(alias="path", min_length=1, max_length=datasets.LONGEST_PATH, pattern=datasets.PATH_PATTERN)
]
_PIECE_BYTES = 1024 * 1024
"""What is written at a time: smaller pieces would cost a change of threads each."""
_OCTETS = "application/octet-stream"
_ANY_BODY = {
    "requestBody": {
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.put("/{path:path}", status_code=201, response_model=DatasetFileCreated, openapi_extra=_ANY_BODY)
async def upload_file(
    request: Request, context: Context, group: Group, path: FilePath, overwrite: Annotated[bool, Query()] = False
) -> Response:
    """Keep a file. It can be seen when all of it has come."""
    file, threads = datasets.parse(path), FileThreads(group)
    try:
        files = await threads.run(_files, context, group, file)
    except NotFound as error:
        raise InvalidRequest(error.message) from error  # a reference in what is created
    async with threads.within(files.upload(file.key, overwrite=overwrite)) as upload:
        await _receive(request, upload, threads)
        # Its group may be gone by now. If it goes after this, then this file goes with it.
        await threads.run(_files, context, group, file)
        await threads.run(upload.publish)
    return answers.created(f"{PATH}/{path}", {"message": "File creation acknowledged", "url": file.url})


@router.get("/{path:path}", response_class=Response, responses=_FILE)
async def download_file(context: Context, group: Group, path: FilePath) -> Response:
    """A file, to be saved and not to be shown: whatever it holds runs in no browser."""
    file, threads = datasets.parse(path), FileThreads(group)
    content = await threads.run(lambda: _files(context, group, file).read(file.key))
    headers = {
        "Content-Length": str(content.size),
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_sent(content, threads), headers=headers, media_type=_OCTETS)


@router.delete("/{path:path}", status_code=204)
async def delete_file(context: Context, group: Group, path: FilePath) -> Response:
    """Remove a file."""
    file, threads = datasets.parse(path), FileThreads(group)
    await threads.run(lambda: _files(context, group, file).remove(file.key))
    return Response(status_code=204)


def _files(context: ApiContext, group: str, file: datasets.DatasetFile) -> FileStore:
    with context.database.reading() as session:
        access = datasets.access(session, context.vault, group, file)
    return context.object_stores.files(group, access)


async def _receive(request: Request, upload: Upload, threads: FileThreads) -> None:
    waiting = bytearray()
    async for piece in request.stream():
        waiting += piece
        if len(waiting) >= _PIECE_BYTES:
            await threads.run(upload.write, bytes(waiting))
            waiting.clear()
    await threads.run(upload.write, bytes(waiting))


async def _sent(content: Content, threads: FileThreads) -> AsyncIterator[bytes]:
    pieces = content.pieces()
    try:
        while piece := await threads.run(next, pieces, b""):
            yield piece
    finally:
        content.close()
