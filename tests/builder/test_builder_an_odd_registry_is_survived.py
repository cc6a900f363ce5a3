"""Answers that no real MLflow can be made to give."""

import itertools

import httpx
import pytest

from mooring.builder.mlflow import MlflowError, RegistryClient


def answering(status: int, content: bytes | str, headers: dict[bytes, bytes] | None = None) -> RegistryClient:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content, headers=headers)

    return RegistryClient("http://mlflow.example", transport=httpx.MockTransport(answer))


def test_the_same_page_again_and_again_ends() -> None:
    with pytest.raises(MlflowError, match="shown already") as caught:
        answering(200, '{"registered_models": [], "next_page_token": "again"}').models()

    assert caught.value.away


def test_always_one_more_page_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mooring.mlflow_access._MOST_PAGES", 7)
    numbers = itertools.count(1)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"next_page_token": str(next(numbers))})

    with pytest.raises(MlflowError, match="more than 7 pages"):
        RegistryClient("http://mlflow.example", transport=httpx.MockTransport(answer)).models()
    assert len(asked) == 7


@pytest.mark.parametrize("content", ["[" * 500_000, "[]", "<html>", ""], ids=["nested", "list", "html", "empty"])
def test_what_is_no_document_is_a_server_that_is_away(content: str) -> None:
    with pytest.raises(MlflowError, match="without JSON") as caught:
        answering(200, content).models()

    assert caught.value.away


def test_a_pause_that_is_no_number_is_not_observed() -> None:
    with pytest.raises(MlflowError, match="busy") as caught:
        answering(503, '{"message": "busy"}', {b"retry-after": "²".encode()}).models()

    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, "{}"),
        (200, '{"experiment": {"name": "Default"}}'),
        (200, '{"experiment": []}'),
        (403, '{"error_code": "PERMISSION_DENIED"}'),
        (404, '{"error_code": "RESOURCE_DOES_NOT_EXIST"}'),
        (404, "<html>"),
    ],
)
def test_a_registry_that_cannot_be_told_from_another_has_no_identity(status: int, content: str) -> None:
    assert answering(status, content).identity() is None


def test_no_answer_is_no_missing_identity() -> None:
    with pytest.raises(MlflowError, match="does not answer"):
        RegistryClient("http://127.0.0.1:9", timeout_seconds=2).identity()
