"""Wrapping keys: where they may come from, who must not be able to read them, and that none is ever shown."""

from __future__ import annotations

import os
import secrets
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.node import wrapping_choice
from broker.node.keystore import KeyStore
from broker.node.owner_only import KeyStoreUnsafe
from broker.node.toml_table import SettingsInvalid
from broker.node.wrapping import AeadWrappingKey, KeyDamaged, WrappingKey
from broker.node.wrapping_choice import OsKeyStoreAway, choice_of, configured_wrapping

SECRET = b"not to be seen: 0123456789abcdef"
PASSPHRASE = "Harbour-lantern-tidal-quartz-9\n"


class Device:
    """A module that never gives its key out: it takes bytes in and gives bytes back, and can be unplugged."""

    def __init__(self, name: str) -> None:
        self.name = f"device:{name}"
        key = AESGCM(secrets.token_bytes(32))
        self.wrap = lambda secret, associated: (nonce := os.urandom(12)) + key.encrypt(nonce, secret, associated)
        self.unwrap = lambda wrapped, associated: key.decrypt(wrapped[:12], wrapped[12:], associated)


class Backend(ModuleType):
    """An operating system's key store in memory."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise RuntimeError("the text of a backend may hold anything: 0123456789abcdef")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.is_locked:
            raise RuntimeError("the text of a backend may hold anything: 0123456789abcdef")
        self.entries[service, username] = password


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE)
    path.chmod(0o600)
    return path


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "credentials"
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    path = directory / "needtoknow"
    path.write_bytes(secrets.token_bytes(32))
    path.chmod(0o400)
    return path


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    backend = Backend()
    monkeypatch.setitem(sys.modules, "keyring", backend)
    return backend


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    plugged = Device("slot-1")
    point = EntryPoint("slot-1", "tests:none", wrapping_choice.DEVICES)
    monkeypatch.setattr(EntryPoint, "load", lambda _: lambda name: plugged)
    monkeypatch.setattr(wrapping_choice, "entry_points", lambda **wanted: EntryPoints([point]).select(**wanted))
    return plugged


@pytest.fixture(params=["file", "file-elsewhere", "credential", "passphrase", "keyring", "device"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One name of each sort, ready to be made."""
    if request.param == "file-elsewhere":
        return f"file:{tmp_path}/elsewhere.key"
    if request.param == "credential":
        request.getfixturevalue("credential")
        return "systemd-credential:needtoknow"
    if request.param == "passphrase":
        return f"passphrase-file:{request.getfixturevalue('passphrase')}"
    if request.param == "keyring":
        request.getfixturevalue("backend")
    if request.param == "device":
        request.getfixturevalue("device")
        return "device:slot-1"
    return str(request.param)


def test_a_key_store_of_every_sort_opens_again_and_shows_nothing(name: str, tmp_path: Path) -> None:
    keys = KeyStore.create(tmp_path / "keys", configured=name)
    keys.add("seal", "0a1b", SECRET)
    keys.close()
    again = KeyStore.open(tmp_path / "keys", configured=name)
    assert again.wrapped_by == name
    assert again.get("seal", "0a1b") == SECRET
    assert KeyStore.inspect(tmp_path / "keys").get("seal", "0a1b") == SECRET
    assert all(SECRET not in file.read_bytes() for file in (tmp_path / "keys").iterdir())
    assert "not to be seen" not in repr(again)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_the_same_secret_is_never_wrapped_to_the_same_bytes_and_opens_for_its_own_text_only(
    name: str, tmp_path: Path
) -> None:
    wrapping: WrappingKey = choice_of(name).make(tmp_path)
    assert wrapping.wrap(SECRET, b"a") != wrapping.wrap(SECRET, b"a")
    with pytest.raises(Exception, match=r"wrapping key|^$"):
        wrapping.unwrap(wrapping.wrap(SECRET, b"a"), b"b")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "File",
        "file:relative.key",
        "passphrase-file:relative",
        "passphrase-file",
        "systemd-credential:",
        "systemd-credential:../x",
        "device:",
        "device:a/b",
        "keyring:x",
        "none",
        "plain",
    ],
)
def test_a_word_that_names_no_wrapping_key_is_refused_with_those_there_are(wrong: str) -> None:
    with pytest.raises(SettingsInvalid, match="systemd-credential:NAME"):
        choice_of(wrong)


def test_the_configuration_says_which_and_silence_is_no_choice(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    assert configured_wrapping(config) is None
    config.write_text('[bus]\nurl = "nats://127.0.0.1:4222"\n')
    assert configured_wrapping(config) is None
    config.write_text('[keys]\nwrapping = "keyring"\n')
    assert configured_wrapping(config) == "keyring"
    for wrong in ("3", '"nothing"', '["file"]'):
        config.write_text(f"[keys]\nwrapping = {wrong}\n")
        with pytest.raises(SettingsInvalid, match=r"keys\.wrapping"):
            configured_wrapping(config)


# ---- systemd credentials


def test_a_credential_that_systemd_did_not_hand_over_says_how_to_get_it(
    credential: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(KeyStoreUnsafe, match="systemd-creds encrypt --name=other"):
        choice_of("systemd-credential:other").load(tmp_path)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(KeyStoreUnsafe, match="systemctl"):
        choice_of("systemd-credential:needtoknow").load(tmp_path)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o420, 0o644, 0o602])
def test_a_credential_that_others_could_read_or_write_is_refused(credential: Path, mode: int, tmp_path: Path) -> None:
    credential.chmod(mode)
    with pytest.raises(KeyStoreUnsafe, match="open to other users"):
        choice_of("systemd-credential:needtoknow").load(tmp_path)


def test_a_credential_that_is_a_link_or_too_short_is_refused(credential: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    credential.rename(elsewhere)
    credential.symlink_to(elsewhere)
    with pytest.raises(KeyStoreUnsafe):
        choice_of("systemd-credential:needtoknow").load(tmp_path)
    credential.unlink()
    credential.write_bytes(b"short")
    credential.chmod(0o400)
    with pytest.raises(KeyDamaged, match="32 bytes"):
        choice_of("systemd-credential:needtoknow").load(tmp_path)


# ---- passphrases


@pytest.mark.parametrize("weak", ["", "short", "a" * 40, "abababababababababababab", "1234567 1234567 1234567", "a\nb"])
def test_a_weak_passphrase_is_refused_before_anything_is_made(passphrase: Path, weak: str, tmp_path: Path) -> None:
    passphrase.write_text(weak)
    with pytest.raises(KeyStoreUnsafe, match=r"too weak|one line|more than one line"):
        choice_of(f"passphrase-file:{passphrase}").make(tmp_path / "keys")
    assert not (tmp_path / "keys").exists()


def test_a_passphrase_that_others_can_read_is_refused(passphrase: Path, tmp_path: Path) -> None:
    passphrase.chmod(0o640)
    with pytest.raises(KeyStoreUnsafe, match="chmod 600"):
        choice_of(f"passphrase-file:{passphrase}").make(tmp_path)


def test_the_passphrase_is_the_same_with_and_without_a_line_end_and_another_does_not_open(
    passphrase: Path, tmp_path: Path
) -> None:
    name = f"passphrase-file:{passphrase}"
    KeyStore.create(tmp_path / "keys", configured=name).close()
    passphrase.write_text(PASSPHRASE.strip())
    KeyStore.inspect(tmp_path / "keys")
    passphrase.write_text(PASSPHRASE.upper())
    with pytest.raises(KeyDamaged) as caught:
        KeyStore.inspect(tmp_path / "keys")
    assert "HARBOUR" not in str(caught.value).upper().replace(str(passphrase).upper(), "")


@pytest.mark.parametrize(
    "damage",
    [
        ('"iterations":3', '"iterations":1'),
        ('"iterations":3', '"iterations":33'),
        ('"memory_kib":65536', '"memory_kib":1024'),
        ('"memory_kib":65536', '"memory_kib":99999999'),
        ('"lanes":4', '"lanes":true'),
        ('"kind":"argon2id"', '"kind":"scrypt"'),
        ('"salt":"', '"salt":"AAAA'),
        ('"salt":"', '"salt":"#'),
        ('{"', '"'),
    ],
)
def test_parameters_that_are_weaker_dearer_or_damaged_are_refused(
    passphrase: Path, tmp_path: Path, damage: tuple[str, str]
) -> None:
    choice = choice_of(f"passphrase-file:{passphrase}")
    choice.make(tmp_path)
    salt = tmp_path / "wrap.salt"
    text = salt.read_text()
    assert damage[0] in text
    salt.write_text(text.replace(*damage))
    with pytest.raises(KeyDamaged, match=r"wrap\.salt"):
        choice.load(tmp_path)


# ---- the operating system's key store


def test_without_keyring_it_is_said_what_to_install_or_choose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(OsKeyStoreAway, match=r"needtoknow\[keyring\].*systemd-credential"):
        choice_of("keyring").make(tmp_path)


def test_a_locked_or_emptied_key_store_of_the_system_is_named_without_its_text(
    backend: Backend, tmp_path: Path
) -> None:
    choice = choice_of("keyring")
    choice.make(tmp_path)
    backend.is_locked = True
    with pytest.raises(OsKeyStoreAway, match="unlock") as caught:
        choice.load(tmp_path)
    assert "0123456789abcdef" not in str(caught.value)
    with pytest.raises(OsKeyStoreAway, match="unlock") as caught:
        choice.make(tmp_path, ".staged")
    assert "0123456789abcdef" not in str(caught.value)
    backend.is_locked = False
    backend.entries.clear()
    with pytest.raises(OsKeyStoreAway, match="this the machine"):
        choice.load(tmp_path)


def test_two_key_stores_of_one_user_have_entries_of_their_own(backend: Backend, tmp_path: Path) -> None:
    for home in ("a", "b"):
        KeyStore.create(tmp_path / home, configured="keyring").close()
    assert len(backend.entries) == 2
    assert len(set(backend.entries.values())) == 2
    (tmp_path / "a" / "wrap.entry").write_bytes((tmp_path / "b" / "wrap.entry").read_bytes())
    with pytest.raises(KeyDamaged):
        KeyStore.inspect(tmp_path / "a")


# ---- devices


def test_a_device_that_no_package_brings_is_named(device: Device, tmp_path: Path) -> None:
    assert choice_of("device:slot-1").load(tmp_path) is device
    with pytest.raises(KeyStoreUnsafe, match="slot-2"):
        choice_of("device:slot-2").load(tmp_path)


def test_a_wrapping_key_is_not_in_its_own_representation() -> None:
    key = secrets.token_bytes(32)
    shown = repr(AeadWrappingKey("file", key))
    assert key.hex() not in shown
    assert repr(key) not in shown
