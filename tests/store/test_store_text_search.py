"""Searching finds exactly what is asked for: letters mean themselves, case counts only when it should."""

import pytest
from sqlalchemy import select

from mooring.store.database import Database
from mooring.store.tables import ResourceGroup
from mooring.store.text_search import contains


@pytest.mark.parametrize(
    ("text", "case_insensitive", "found"),
    [
        ("Köln", False, True),
        ("köln", False, False),
        ("KÖLN", True, True),
        ("100%", False, True),
        ("1%", False, False),
        ("a_c", False, False),
        ("a-c", False, True),
    ],
)
def test_search(migrated_store: Database, text: str, case_insensitive: bool, found: bool) -> None:
    with migrated_store.transaction() as session:
        session.add(ResourceGroup(id="Köln 100% a-c"))
    with migrated_store.reading() as session:
        query = select(ResourceGroup.id).where(contains(ResourceGroup.id, text, case_insensitive=case_insensitive))
        assert (session.scalar(query) is not None) is found
