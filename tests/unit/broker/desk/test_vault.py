"""What is sealed at rest opens in its own row alone, and never again once its keys are destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.desk.vault import Erased, Vault
from broker.node.keystore import KeyStore
from schemas.crypto.failures import SealBroken
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import Sealing, open_sealed, seal

ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "keys")


def test_both_keys_are_durable_before_anything_is_sealed_to_them(keys: KeyStore, tmp_path: Path) -> None:
    identity = Vault(keys).create(ONE)
    again = KeyStore.inspect(tmp_path / "keys")
    assert again.names(KeyPurpose.STORAGE) == [ONE]
    assert again.names(KeyPurpose.REPLY) == [identity.id]


def test_what_is_sealed_opens_after_a_restart(keys: KeyStore, tmp_path: Path) -> None:
    vault = Vault(keys)
    identity = vault.create(ONE)
    sealed = vault.seal(ONE, "answer", "r1", b"words")
    keys.close()
    again = Vault(KeyStore.open(tmp_path / "keys"))
    assert again.open(ONE, "answer", "r1", sealed) == b"words"
    assert again.identity(identity.id).public == identity.public


def test_the_same_text_is_never_sealed_to_the_same_bytes(keys: KeyStore) -> None:
    vault = Vault(keys)
    vault.create(ONE)
    assert vault.seal(ONE, "answer", "r1", b"words") != vault.seal(ONE, "answer", "r1", b"words")


@pytest.mark.parametrize(
    ("enquiry", "table", "row"), [(TWO, "answer", "r1"), (ONE, "other", "r1"), (ONE, "answer", "r2")]
)
def test_a_sealed_text_opens_in_no_other_place(keys: KeyStore, enquiry: str, table: str, row: str) -> None:
    vault = Vault(keys)
    vault.create(ONE)
    vault.create(TWO)
    sealed = vault.seal(ONE, "answer", "r1", b"words")
    with pytest.raises(SealBroken):
        vault.open(enquiry, table, row, sealed)


@pytest.mark.parametrize("damaged", [b"", bytes(11), bytes(40)])
def test_damaged_bytes_do_not_open(keys: KeyStore, damaged: bytes) -> None:
    vault = Vault(keys)
    vault.create(ONE)
    with pytest.raises(SealBroken):
        vault.open(ONE, "answer", "r1", damaged)


def test_nothing_sealed_to_an_enquiry_opens_after_it_was_erased(keys: KeyStore) -> None:
    vault = Vault(keys)
    identity = vault.create(ONE)
    at_rest = vault.seal(ONE, "answer", "r1", b"words")
    on_the_way = seal(Sealing.ANSWER, b"header", b"words", identity.public)
    assert open_sealed(Sealing.ANSWER, b"header", on_the_way, vault.identity(identity.id)) == b"words"
    vault.erase(ONE, identity.id)
    with pytest.raises(Erased):
        vault.open(ONE, "answer", "r1", at_rest)
    with pytest.raises(Erased):
        vault.seal(ONE, "answer", "r1", b"words")
    with pytest.raises(Erased):
        vault.identity(identity.id)
    assert keys.names(KeyPurpose.STORAGE) == keys.names(KeyPurpose.REPLY) == []


def test_erasing_one_enquiry_leaves_the_others(keys: KeyStore) -> None:
    vault = Vault(keys)
    first, second = vault.create(ONE), vault.create(TWO)
    sealed = vault.seal(TWO, "answer", "r1", b"words")
    vault.erase(ONE, first.id)
    vault.erase(ONE, first.id)
    assert vault.open(TWO, "answer", "r1", sealed) == b"words"
    assert vault.identity(second.id).public == second.public


def test_keys_that_no_enquiry_refers_to_are_swept_away(keys: KeyStore) -> None:
    vault = Vault(keys)
    kept = vault.create(ONE)
    vault.create(TWO)
    assert vault.sweep({ONE}, {kept.id}) == 2
    assert keys.names(KeyPurpose.STORAGE) == [ONE]
    assert keys.names(KeyPurpose.REPLY) == [kept.id]


def test_a_vault_shows_no_key_in_its_representation(keys: KeyStore) -> None:
    vault = Vault(keys)
    vault.create(ONE)
    secret = keys.get(KeyPurpose.STORAGE, ONE)
    vault.seal(ONE, "answer", "r1", b"words")
    assert secret.hex() not in repr(vault)
    assert repr(secret)[2:-1] not in repr(vault)
