"""What is sealed opens with its key at its place, and tells nothing otherwise."""

import pytest

from mooring.store.vault import KEY_BYTES, CannotOpen, Vault

KEY = bytes(range(KEY_BYTES))
PLACE = "generic_secrets/team/n"


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


def test_what_is_sealed_can_be_opened(vault: Vault) -> None:
    values = {"k": "v", "ключ": "значение", "empty": ""}
    assert Vault(KEY).open_values(vault.seal_values(values, place=PLACE), place=PLACE) == values


def test_the_same_is_never_sealed_alike(vault: Vault) -> None:
    sealed = {vault.seal(b"same", place=PLACE) for _ in range(100)}
    assert len(sealed) == 100
    assert not [one for one in sealed if b"same" in one]


@pytest.mark.parametrize("place", ["generic_secrets/team/m", "generic_secrets//n", "object_store_secrets/team/n", ""])
def test_moved_elsewhere_it_does_not_open(vault: Vault, place: str) -> None:
    with pytest.raises(CannotOpen, match="another key, or is damaged"):
        vault.open(vault.seal(b"opensesame", place=PLACE), place=place)


def test_another_key_does_not_open_it(vault: Vault) -> None:
    sealed = vault.seal(b"opensesame", place=PLACE)
    other = Vault(bytes(KEY_BYTES))
    assert other.key_id != vault.key_id
    with pytest.raises(CannotOpen):
        other.open(sealed, place=PLACE)


def test_a_single_bit_that_changed_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"opensesame", place=PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(CannotOpen):
            vault.open(bytes(damaged), place=PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(11), b"\x01" + bytes(12), b"\x02" + bytes(40)])
def test_what_was_never_sealed_is_refused(vault: Vault, sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        vault.open(sealed, place=PLACE)


def test_neither_key_nor_content_is_shown(vault: Vault) -> None:
    with pytest.raises(CannotOpen) as refusal:
        vault.open(vault.seal(b"opensesame", place=PLACE), place="elsewhere")
    shown = f"{vault!r} {vault.key_id} {refusal.value!r} {refusal.value.__cause__}"
    assert "opensesame" not in shown
    assert KEY.hex()[:8] not in shown


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=str(KEY_BYTES)):
        Vault(bytes(size))


def test_derived_keys_are_their_own(vault: Vault) -> None:
    assert vault.derive("tracking") == Vault(KEY).derive("tracking")
    assert len({vault.derive("tracking"), vault.derive("other"), Vault(bytes(KEY_BYTES)).derive("tracking"), KEY}) == 4
