"""A tracking address is recognised when we have made it, and whoever changes a letter of it has none."""

import pytest

from mooring.services.tracking_addresses import TrackedExecution, TrackingAddresses, tracking_endpoint
from mooring.store.vault import KEY_BYTES, Vault

EXECUTION = TrackedExecution("e0123456789abcde", "team.a")
VAULT = Vault(bytes(KEY_BYTES))


def test_what_we_have_made_is_recognised() -> None:
    address = tracking_endpoint("http://gateway:8080", EXECUTION, VAULT)
    base, _, permission = address.rpartition("/")
    assert base == "http://gateway:8080/tracking"
    assert TrackingAddresses.of(VAULT).recognise(permission) == EXECUTION


def test_it_is_the_same_whenever_it_is_made() -> None:
    again = Vault(bytes(KEY_BYTES))
    assert tracking_endpoint("http://g", EXECUTION, VAULT) == tracking_endpoint("http://g", EXECUTION, again)


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made[:0],
        lambda made: made[:0] + "~~",
        lambda made: made + "A",
        lambda made: made[:-1],
        lambda made: made.rpartition("~")[0],
        lambda made: made.replace("e0123456789abcde", "e0123456789abcdf"),
        lambda made: made.replace("team.a", "team.b"),
        lambda made: made.replace("e0123456789abcde~team.a", "e0123456789abcde~tea~m.a"),
        lambda made: made.replace("~", "."),
        lambda made: made.replace("~", "\0"),
        lambda made: made.upper(),
        lambda made: "é" + made,
    ],
)
def test_what_was_changed_is_not(change: object) -> None:
    addresses = TrackingAddresses.of(VAULT)
    made = addresses.permission(EXECUTION)
    assert callable(change)
    assert addresses.recognise(change(made)) is None


def test_another_stores_is_not() -> None:
    other = TrackingAddresses.of(Vault(bytes([1]) * KEY_BYTES))
    assert TrackingAddresses.of(VAULT).recognise(other.permission(EXECUTION)) is None


def test_the_key_is_not_shown() -> None:
    addresses = TrackingAddresses.of(VAULT)
    assert repr(addresses) == "TrackingAddresses()"
    mac = addresses.permission(EXECUTION).rpartition("~")[2]
    assert len(mac) * 6 >= 128
