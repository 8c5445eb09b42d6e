"""The key store: durable, owner-only, sealed at rest, and what is destroyed is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from broker.node.keystore import (
    FileWrappingKey,
    KeyDamaged,
    KeyExists,
    KeyMissing,
    KeyStore,
    KeyStoreUnsafe,
)

SECRET = b"not to be seen: 0123456789abcdef"


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "keys")


@pytest.fixture
def directory(keys: KeyStore, tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_key_added_is_there_after_a_reopening(keys: KeyStore, directory: Path) -> None:
    keys.add("seal", "0a1b", SECRET)
    keys.add("seal", "00ff", b"other")
    keys.add("seal-old", "77", b"third")
    again = KeyStore.open(directory)
    assert again.get("seal", "0a1b") == SECRET
    assert again.names("seal") == ["00ff", "0a1b"]
    assert again.names("reply") == []


def test_a_secret_is_not_on_disk_in_the_clear_nor_in_a_repr(keys: KeyStore, directory: Path) -> None:
    keys.add("seal", "0a1b", SECRET)
    assert all(SECRET not in file.read_bytes() for file in directory.iterdir())
    assert "not to be seen" not in repr(keys)


def test_everything_is_the_owners_only(keys: KeyStore, directory: Path) -> None:
    keys.add("seal", "0a1b", SECRET)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}


def test_adding_the_same_again_changes_nothing_and_another_is_refused(keys: KeyStore) -> None:
    keys.add("seal", "0a1b", SECRET)
    keys.add("seal", "0a1b", SECRET)
    with pytest.raises(KeyExists):
        keys.add("seal", "0a1b", b"another")
    assert keys.get("seal", "0a1b") == SECRET


def test_a_destroyed_key_is_gone_and_destroying_it_again_is_no_error(keys: KeyStore, directory: Path) -> None:
    keys.add("reply", "0a1b", SECRET)
    keys.destroy("reply", "0a1b")
    keys.destroy("reply", "0a1b")
    with pytest.raises(KeyMissing):
        keys.get("reply", "0a1b")
    assert keys.names("reply") == []
    assert [file.name for file in directory.iterdir()] == ["wrap.key"]


def test_a_destruction_overwrites_the_file_before_it_is_unlinked(keys: KeyStore, directory: Path) -> None:
    keys.add("reply", "0a1b", SECRET)
    before = (directory / "reply.0a1b.key").read_bytes()
    os.link(directory / "reply.0a1b.key", directory.parent / "kept-by-a-hard-link")
    keys.destroy("reply", "0a1b")
    after = (directory.parent / "kept-by-a-hard-link").read_bytes()
    assert len(after) == len(before)
    assert after != before


def test_a_crash_in_the_middle_of_a_destruction_or_an_addition_is_finished_at_the_next_opening(
    keys: KeyStore, directory: Path
) -> None:
    keys.add("reply", "0a1b", SECRET)
    (directory / "reply.0a1b.key").rename(directory / "reply.0a1b.key.gone")
    half = directory / "reply.77.key.new"
    half.write_bytes(b"half")
    half.chmod(0o600)
    again = KeyStore.open(directory)
    assert again.names("reply") == []
    assert [file.name for file in directory.iterdir()] == ["wrap.key"]


def test_a_key_file_put_in_anothers_place_does_not_open(keys: KeyStore, directory: Path) -> None:
    keys.add("reply", "0a1b", SECRET)
    for name in ("reply.77.key", "seal.0a1b.key"):
        shutil.copy(directory / "reply.0a1b.key", directory / name)
    with pytest.raises(KeyDamaged):
        keys.get("reply", "77")
    with pytest.raises(KeyDamaged):
        keys.get("seal", "0a1b")


@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_changed_key_file_does_not_open(keys: KeyStore, directory: Path, at: int) -> None:
    keys.add("reply", "0a1b", SECRET)
    raw = bytearray((directory / "reply.0a1b.key").read_bytes())
    raw[at] ^= 1
    (directory / "reply.0a1b.key").write_bytes(raw)
    with pytest.raises(KeyDamaged) as caught:
        keys.get("reply", "0a1b")
    assert "not to be seen" not in str(caught.value)


@pytest.mark.parametrize("name", ["keys", "wrap.key"])
def test_what_others_could_read_is_refused_with_what_to_run(keys: KeyStore, directory: Path, name: str) -> None:
    target = directory / "wrap.key" if name == "wrap.key" else directory
    target.chmod(target.stat().st_mode | 0o040)
    with pytest.raises(KeyStoreUnsafe, match="chmod"):
        KeyStore.open(directory)


def test_a_key_file_that_others_could_read_is_refused(keys: KeyStore, directory: Path) -> None:
    keys.add("reply", "0a1b", SECRET)
    (directory / "reply.0a1b.key").chmod(0o644)
    with pytest.raises(KeyStoreUnsafe, match="chmod 600"):
        keys.get("reply", "0a1b")


def test_a_link_is_not_followed(keys: KeyStore, directory: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(directory)
    with pytest.raises(KeyStoreUnsafe):
        KeyStore.open(tmp_path / "linked")


def test_a_missing_key_store_and_a_missing_wrapping_key_are_named(keys: KeyStore, directory: Path) -> None:
    with pytest.raises(KeyStoreUnsafe, match="init"):
        KeyStore.open(directory.parent / "nowhere")
    (directory / "wrap.key").unlink()
    with pytest.raises(KeyStoreUnsafe, match=r"wrap\.key"):
        KeyStore.open(directory)


def test_a_wrapping_key_of_the_wrong_length_is_refused(keys: KeyStore, directory: Path) -> None:
    (directory / "wrap.key").write_bytes(b"short")
    with pytest.raises(KeyDamaged):
        KeyStore.open(directory)


def test_a_key_store_is_not_made_over_another(keys: KeyStore, directory: Path) -> None:
    with pytest.raises(KeyExists):
        KeyStore.create(directory)


@pytest.mark.parametrize(
    ("purpose", "name"), [("seal", "../x"), ("seal", ""), ("Seal", "x"), ("a.b", "x"), ("s", "x.y")]
)
def test_names_that_could_leave_the_directory_are_refused(keys: KeyStore, purpose: str, name: str) -> None:
    with pytest.raises(ValueError, match="a key"):
        keys.get(purpose, name)


def test_a_wrapping_key_may_live_elsewhere(tmp_path: Path) -> None:
    FileWrappingKey.create(tmp_path / "elsewhere.key")
    keys = KeyStore.create(tmp_path / "keys", FileWrappingKey(tmp_path / "elsewhere.key"))
    keys.add("seal", "0a1b", SECRET)
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["seal.0a1b.key"]
    assert KeyStore.open(tmp_path / "keys", FileWrappingKey(tmp_path / "elsewhere.key")).get("seal", "0a1b") == SECRET
