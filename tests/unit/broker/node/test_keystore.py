"""The key store: durable, owner-only, sealed at rest, and what is destroyed is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker.node.keystore import KeyExists, KeyMissing, KeyStore, KeyStoreInUse
from broker.node.owner_only import KeyStoreUnsafe
from broker.node.wrapping import FileWrappingKey, KeyDamaged

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
    keys.close()
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
    assert {file.name for file in directory.iterdir()} == {"wrap.key", "wrapping"}


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
    keys.close()
    again = KeyStore.open(directory)
    assert again.names("reply") == []
    assert {file.name for file in directory.iterdir()} == {"wrap.key", "wrapping"}


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
    keys.close()
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
    keys.close()
    with pytest.raises(KeyStoreUnsafe, match="init"):
        KeyStore.open(directory.parent / "nowhere")
    (directory / "wrap.key").unlink()
    with pytest.raises(KeyStoreUnsafe, match=r"wrap\.key"):
        KeyStore.open(directory)


def test_a_wrapping_key_of_the_wrong_length_is_refused(keys: KeyStore, directory: Path) -> None:
    keys.close()
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
    keys.close()
    assert {file.name for file in (tmp_path / "keys").iterdir()} == {"seal.0a1b.key", "wrapping"}
    assert KeyStore.open(tmp_path / "keys", FileWrappingKey(tmp_path / "elsewhere.key")).get("seal", "0a1b") == SECRET


def test_a_second_owner_is_refused_until_the_first_lets_go(keys: KeyStore, directory: Path) -> None:
    with pytest.raises(KeyStoreInUse, match="stop it first"):
        KeyStore.open(directory)
    keys.close()
    keys.close()
    KeyStore.open(directory).close()


def test_a_reader_beside_the_owner_reads_and_finishes_nothing_that_the_owner_has_begun(
    keys: KeyStore, directory: Path
) -> None:
    keys.add("seal", "0a1b", SECRET)
    begun = directory / "seal.77.key.new"
    begun.write_bytes(b"being written by the owner")
    gone = directory / "reply.77.key.gone"
    gone.write_bytes(b"being destroyed by the owner")
    reader = KeyStore.inspect(directory)
    assert reader.get("seal", "0a1b") == SECRET
    assert reader.names("seal") == ["0a1b"]
    assert reader.names("reply") == []
    assert begun.read_bytes() == b"being written by the owner"
    assert gone.read_bytes() == b"being destroyed by the owner"
    assert "not to be seen" not in repr(reader)


def test_a_program_that_is_killed_lets_go_of_its_key_store(keys: KeyStore, directory: Path) -> None:
    keys.close()
    taking = f"""
import os, pathlib
from broker.node.keystore import KeyStore
keys = KeyStore.open(pathlib.Path({str(directory)!r}))
print("taken", flush=True)
os.read(0, 1)
"""
    with subprocess.Popen([sys.executable, "-c", taking], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"taken\n"
        with pytest.raises(KeyStoreInUse):
            KeyStore.open(directory)
        owner.kill()
        owner.wait()
    KeyStore.open(directory).close()


def test_a_key_store_under_another_wrapping_key_than_its_own_is_refused_at_once(
    keys: KeyStore, directory: Path
) -> None:
    keys.close()
    (directory / "wrap.key").write_bytes(os.urandom(32))
    with pytest.raises(KeyDamaged, match="put back the one"):
        KeyStore.open(directory)
    with pytest.raises(KeyDamaged, match="put back the one"):
        KeyStore.inspect(directory)


def test_a_configuration_that_names_another_wrapping_key_is_told_what_to_run(keys: KeyStore, directory: Path) -> None:
    keys.close()
    with pytest.raises(KeyStoreUnsafe, match="keys rewrap"):
        KeyStore.open(directory, configured="systemd-credential:needtoknow")
    KeyStore.open(directory, configured="file").close()


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"wrapping":"file"}', b"\xff"])
def test_a_damaged_or_missing_record_of_the_wrapping_key_is_named(
    keys: KeyStore, directory: Path, damage: bytes
) -> None:
    keys.close()
    (directory / "wrapping").write_bytes(damage)
    with pytest.raises(KeyDamaged, match="wrapping"):
        KeyStore.open(directory)
    (directory / "wrapping").unlink()
    with pytest.raises(KeyStoreUnsafe, match="no key store"):
        KeyStore.open(directory)
