"""`api/v1/model/predict` and `api/v1/model/dataset`, where DPM360's model wrapper has them."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

import orjson

from mooring.modelserver.by_key.question import read_question
from mooring.modelserver.by_key.records import Records
from mooring.modelserver.endpoints.predicting import Desk
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.http import Request, Response
from mooring.modelserver.inference import General
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.routes import Routes

PREDICT, DATASET, ROOT = "/api/v1/model/predict", "/api/v1/model/dataset", "/api/v1/"
PAGE_ROWS, LARGEST_PAGE = 1000, 10_000


@dataclass(frozen=True)
class KeyEndpoints:
    """The endpoints of one model and the records of its run."""

    desk: Desk
    records: Records

    def routes(self) -> Routes:
        """All of them."""
        return {ROOT: {"GET": self._welcome}, PREDICT: {"POST": self._predict}, DATASET: {"GET": self._dataset}}

    async def _welcome(self, _: Request) -> Response:
        return Response(orjson.dumps({"Welcome": "POST model/predict, GET model/dataset; the page is ../"}))

    async def _predict(self, request: Request) -> Response:
        media_type(request.header(b"content-type"), ("application/json",))
        signature = self.desk.plane.model.signature
        return await self.desk.run(request, General(lambda body: read_question(body, self.records, signature)))

    async def _dataset(self, request: Request) -> Response:
        """Keys and targets: CSV as the file has it, JSON for those who ask for it. A page at a time."""
        limit, offset = _page(request.query)
        total, end = len(self.records.targets), offset + limit
        page = self.records.targets.iloc[offset:end]
        following = f"?limit={limit}&offset={end}" if end < total else None
        headers = [("x-total-count", str(total)), *([("link", f'<{following}>; rel="next"')] if following else [])]
        if "application/json" not in (request.header(b"accept") or ""):
            text = await asyncio.to_thread(lambda: page.to_csv(index=False))
            return Response(text.encode(), content_type="text/csv", headers=tuple(headers))
        keys = await asyncio.to_thread(lambda: page.to_json(orient="records"))
        facts = orjson.dumps({"total": total, "next": following})
        return Response(b'{"keys":' + keys.encode() + b"," + facts[1:], headers=tuple(headers))


def _page(query: bytes) -> tuple[int, int]:
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    limit, offset = _number(given, "limit", PAGE_ROWS), _number(given, "offset", 0)
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(f"limit must be between 1 and {LARGEST_PAGE}")
    return limit, offset


def _number(given: dict[str, list[str]], name: str, default: int) -> int:
    text = given.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise InvalidInput(f"{name} must be a whole number, not below 0")
    return int(text)
