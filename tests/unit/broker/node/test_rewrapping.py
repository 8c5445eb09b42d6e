"""Rewrapping: every key or none, whenever the program dies, and nothing of the old wrapping key left here."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.node.keystore import KeyStore, KeyStoreInUse
from broker.node.owner_only import KeyStoreUnsafe
from broker.node.rewrapping import NothingToRewrap, rewrap, rewrap_home

SECRETS = {("seal", "0a1b"): b"first", ("seal", "0a1c"): b"second", ("message", "77"): b"third" * 400}


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    keys = KeyStore.create(tmp_path / "keys")
    for (purpose, name), secret in SECRETS.items():
        keys.add(purpose, name, secret)
    keys.close()
    return tmp_path / "keys"


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    path = tmp_path / "passphrase"
    path.write_text("Harbour-lantern-tidal-quartz-9\n")
    path.chmod(0o600)
    return f"passphrase-file:{path}"


def held(directory: Path) -> dict[tuple[str, str], bytes]:
    reader = KeyStore.inspect(directory)
    return {(purpose, name): reader.get(purpose, name) for purpose, name in reader.held()}


def test_after_a_rewrapping_every_key_is_there_and_the_old_wrapping_key_is_not(
    directory: Path, passphrase: str
) -> None:
    done = rewrap(directory, "file", passphrase)
    assert (done.before, done.after, done.keys, done.left) == ("file", passphrase, 3, None)
    assert held(directory) == SECRETS
    names = {path.name for path in directory.iterdir()}
    assert names == {"wrapping", "wrap.salt", *(f"{purpose}.{name}.key" for purpose, name in SECRETS)}
    back = rewrap(directory, None, "file")
    assert back.left is not None
    assert "shred" in back.left
    assert held(directory) == SECRETS


def test_rewrapping_to_the_same_sort_makes_a_fresh_wrapping_key(directory: Path) -> None:
    before = (directory / "wrap.key").read_bytes()
    rewrap(directory, None, "file")
    assert (directory / "wrap.key").read_bytes() != before
    assert held(directory) == SECRETS


def test_a_wrapping_key_from_elsewhere_is_not_replaced_by_itself(directory: Path, tmp_path: Path) -> None:
    elsewhere = f"file:{tmp_path}/wrap.key"
    rewrap(directory, None, elsewhere)
    with pytest.raises(NothingToRewrap, match="another name"):
        rewrap(directory, None, elsewhere)
    assert held(directory) == SECRETS


def test_a_home_is_sealed_as_its_configuration_says(directory: Path, passphrase: str) -> None:
    config = directory.parent / "config.toml"
    config.write_text(f'[keys]\nwrapping = "{passphrase}"\n')
    assert rewrap_home(directory.parent).said == f"3 keys were sealed under file, and are under {passphrase} now"
    config.write_text("")
    assert "next: destroy" in rewrap_home(directory.parent).said
    assert held(directory) == SECRETS


def test_a_running_programs_keys_are_not_rewrapped(directory: Path, passphrase: str) -> None:
    keys = KeyStore.open(directory)
    with pytest.raises(KeyStoreInUse):
        rewrap(directory, None, passphrase)
    keys.close()


def test_a_wrong_word_for_what_it_was_changes_nothing(directory: Path, passphrase: str) -> None:
    with pytest.raises(KeyStoreUnsafe):
        rewrap(directory, "keyring", passphrase)
    assert held(directory) == SECRETS


def test_a_weak_passphrase_leaves_the_keys_as_they_were(directory: Path, passphrase: str, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("weak")
    with pytest.raises(KeyStoreUnsafe):
        rewrap(directory, None, passphrase)
    assert held(directory) == SECRETS


@pytest.mark.parametrize("is_done", [False, True], ids=["before the call", "after the call"])
def test_a_rewrapping_killed_at_any_instant_leaves_every_key_readable(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    """Every rename, unlink and fsync is an instant to die at; the next start finds all of the keys."""
    ends = set()
    for at in range(400):
        target = f"file:{tmp_path}/wrap-{at}.key" if at % 2 else "file"
        before = KeyStore.inspect(directory).wrapped_by
        with monkeypatch.context() as patched:
            _die_at(patched, at, is_done=is_done)
            try:
                rewrap(directory, None, target)
                is_over = True
            except Died:
                is_over = False
        keys = KeyStore.open(directory)
        assert {(purpose, name): keys.get(purpose, name) for purpose, name in keys.held()} == SECRETS
        assert keys.wrapped_by in {before, target}
        ends.add(keys.wrapped_by == target)
        keys.close()
        assert not [path.name for path in directory.iterdir() if path.suffix in {".new", ".staged", ".gone"}]
        assert not (directory / "rewrapped").exists()
        if is_over:
            break
    else:
        raise AssertionError("it never came to its end")
    assert at > 20
    assert ends == {True, False}


def test_a_reader_finishes_a_rewrapping_that_was_cut_short_unless_somebody_is_at_it(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(400):
        with monkeypatch.context() as patched:
            _die_at(patched, at, is_done=False)
            with pytest.raises(Died):
                rewrap(directory, None, f"file:{tmp_path}/wrap-{at}.key")
        if (directory / "rewrapped").exists():
            break
        KeyStore.open(directory).close()
    at_it = os.open(directory, os.O_RDONLY)
    fcntl.flock(at_it, fcntl.LOCK_EX)
    with pytest.raises(KeyStoreInUse):
        KeyStore.inspect(directory)
    os.close(at_it)
    assert held(directory) == SECRETS
    assert not (directory / "rewrapped").exists()


def _die_at(patched: pytest.MonkeyPatch, at: int, *, is_done: bool) -> None:
    count = 0

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count - 1 == at and not is_done:
                raise Died
            found = real(*args, **kwargs)
            if count - 1 == at:
                raise Died
            if count > at:
                raise Died
            return found

        return call

    for name in ("rename", "unlink", "fsync"):
        patched.setattr(os, name, dying(getattr(os, name)))
