"""Which wrapping key a key store is sealed under: `[keys] wrapping` of `config.toml`, in words.

    file                         `wrap.key` in the key store itself: protects what is copied without it
    file:/PATH                   the same, on another volume
    systemd-credential:NAME      what systemd hands the unit (LoadCredentialEncrypted=): sealed to TPM or machine
    passphrase-file:/PATH        Argon2id of a passphrase that a person or a mounted secret brings
    keyring                      the operating system's key store (the `keyring` extra)
    device:NAME                  a device or key service: the entry point NAME of the group `needtoknow.wrapping`

`make` is for init and rewrapping, `load` for everything else: a start makes no key.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

from broker.node.owner_only import KeyStoreUnsafe, read_owner_only, write_durably
from broker.node.toml_table import SettingsInvalid, read_table
from broker.node.wrapping import (
    KEY_BYTES,
    AeadWrappingKey,
    FileWrappingKey,
    PassphraseWrappingKey,
    WrappingKey,
    read_passphrase,
)
from schemas.failures import Away

FILE: Final = "file"
DEVICES: Final = "needtoknow.wrapping"
"""The group of entry points: each is called with NAME and gives a `WrappingKey`."""
_SERVICE: Final = "needtoknow"
_ARGUMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENTRY = re.compile(r"[0-9a-f]{32}")


class OsKeyStoreAway(Away):
    """The operating system's key store is not installed, locked, or without the entry."""

    code = "os_key_store_away"


class OsKeyStore(Protocol):
    """What is used of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""


@dataclass(frozen=True, slots=True)
class WrappingChoice:
    """One way to seal. `companion` is the name of the file that it keeps in the key store, if any."""

    name: str
    companion: str | None
    _make: Callable[[Path], None]
    _load: Callable[[Path], WrappingKey]

    def make(self, directory: Path, suffix: str = "") -> WrappingKey:
        """A new wrapping key; its companion file gets `suffix` while a rewrapping is under way.

        Raises: KeyStoreUnsafe, KeyDamaged, OsKeyStoreAway, FileExistsError.
        """
        self._make(self._place(directory, suffix))
        return self.load(directory, suffix)

    def load(self, directory: Path, suffix: str = "") -> WrappingKey:
        """The wrapping key that is there.

        Raises: KeyStoreUnsafe, KeyDamaged, OsKeyStoreAway.
        """
        return self._load(self._place(directory, suffix))

    def _place(self, directory: Path, suffix: str) -> Path:
        return directory / f"{self.companion or 'none'}{suffix}"


def choice_of(name: str) -> WrappingChoice:
    """The choice that a configuration's word names.

    Raises: SettingsInvalid, naming the words there are.
    """
    kind, _, argument = name.partition(":")
    if name == FILE:
        return WrappingChoice(name, "wrap.key", FileWrappingKey.create, lambda path: FileWrappingKey(path, name))
    if name == "keyring":
        return WrappingChoice(name, "wrap.entry", _make_entry, lambda path: _os_key(path, name))
    if kind == "systemd-credential" and _ARGUMENT_NAME.fullmatch(argument):
        return WrappingChoice(name, None, _nothing, lambda _: AeadWrappingKey(name, _credential(argument)))
    if kind == "device" and _ARGUMENT_NAME.fullmatch(argument):
        return WrappingChoice(name, None, _nothing, lambda _: _device(argument))
    path = Path(argument)
    if kind == "passphrase-file" and path.is_absolute():
        load = lambda salt: PassphraseWrappingKey(path, salt, name)  # noqa: E731 - one of a row
        return WrappingChoice(name, "wrap.salt", lambda salt: _make_salt(path, salt), load)
    if kind == FILE and path.is_absolute():
        return WrappingChoice(name, None, lambda _: _make_file(path), lambda _: FileWrappingKey(path, name))
    raise SettingsInvalid(
        "keys.wrapping must be file, file:/PATH, systemd-credential:NAME, passphrase-file:/PATH, keyring or device:NAME"
    )


def configured_wrapping(config_path: Path) -> str | None:
    """What `[keys] wrapping` says; None if it says nothing or there is no file yet.

    Raises: SettingsInvalid.
    """
    if not config_path.exists():
        return None
    section = read_table(config_path).get("keys", {})
    name = section.get("wrapping") if isinstance(section, dict) else None
    if name is None:
        return None
    if not isinstance(name, str):
        raise SettingsInvalid(f"{config_path}: keys.wrapping must be a text")
    choice_of(name)
    return name


def keys_section(name: str | None) -> str:
    """The section of a `config.toml` that says so; nothing for the default."""
    return "" if name is None else f"\n[keys]\nwrapping = {json.dumps(name)}\n"


def _nothing(_: Path) -> None:
    """Neither systemd nor a device is told by us to make its key."""


def _credential(name: str) -> bytes:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise KeyStoreUnsafe(
            f"systemd hands the credential {name} to the unit alone: start it with systemctl; for a command beside it: "
            f"systemd-run --pty --property=LoadCredentialEncrypted={name} --uid=USER COMMAND"
        )
    path = Path(directory) / name
    try:
        status = path.lstat()
        content = path.read_bytes()
    except OSError:
        raise KeyStoreUnsafe(
            f"the unit has no credential {name}: add LoadCredentialEncrypted={name}, and make it with: head -c "
            f"{KEY_BYTES} /dev/urandom | systemd-creds encrypt --name={name} - /etc/credstore.encrypted/{name}"
        ) from None
    # systemd.exec(5): 0400 and ours, or root's with an access list for us, whose mask then shows as the group's bits.
    allowed = 0o640 if status.st_uid != os.geteuid() else 0o600
    is_ours = status.st_uid in {0, os.geteuid()}
    if not stat.S_ISREG(status.st_mode) or not is_ours or stat.S_IMODE(status.st_mode) & ~allowed:
        raise KeyStoreUnsafe(f"the credential {name} is open to other users: it was not put there by systemd")
    return content


def _make_file(path: Path) -> None:
    """A file elsewhere may be there already: an administrator's, or one for all homes of a machine."""
    if not path.exists():
        FileWrappingKey.create(path)


def _make_salt(passphrase: Path, salt: Path) -> None:
    read_passphrase(passphrase)
    PassphraseWrappingKey.create(salt)


def _device(name: str) -> WrappingKey:
    found = list(entry_points(group=DEVICES, name=name))
    if len(found) != 1:
        raise KeyStoreUnsafe(
            f"{len(found)} installed packages bring the device {name}, where one should: install its driver into "
            f"this environment (an entry point {name} of the group {DEVICES})"
        )
    made: WrappingKey = found[0].load()(name)
    return made


def os_key_store() -> OsKeyStore:
    """The key store of this operating system.

    Raises: OsKeyStoreAway, saying what to install or to choose instead.
    """
    try:
        found: OsKeyStore = importlib.import_module("keyring")
    except ImportError:
        raise OsKeyStoreAway(
            "keyring is not installed: pip install 'needtoknow[keyring]', or choose another keys.wrapping "
            "(on a server without a desktop session: systemd-credential)"
        ) from None
    return found


def _make_entry(companion: Path) -> None:
    entry = secrets.token_hex(16)
    try:
        os_key_store().set_password(_SERVICE, entry, secrets.token_bytes(KEY_BYTES).hex())
    except OsKeyStoreAway:
        raise
    except Exception as error:  # noqa: BLE001 - every backend raises its own, and their texts may quote
        raise _locked(error) from None
    # A crash before this line leaves an entry that nothing refers to.
    write_durably(companion, entry.encode())


def _os_key(companion: Path, name: str) -> WrappingKey:
    entry = read_owner_only(companion).decode("ascii", "replace")
    if not _ENTRY.fullmatch(entry):
        raise KeyStoreUnsafe(f"{companion} is damaged; restore the key store as a whole")
    try:
        held = os_key_store().get_password(_SERVICE, entry)
    except OsKeyStoreAway:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise _locked(error) from None
    if held is None:
        raise OsKeyStoreAway(
            "the operating system's key store has no such entry: is this the machine and user that made it?"
        )
    try:
        return AeadWrappingKey(name, bytes.fromhex(held))
    except ValueError:
        raise KeyStoreUnsafe("the entry in the operating system's key store is damaged; restore it") from None


def _locked(error: Exception) -> OsKeyStoreAway:
    return OsKeyStoreAway(
        f"the operating system's key store cannot be used ({type(error).__name__}): unlock it, or choose another "
        "keys.wrapping (a service without a desktop session has none: systemd-credential)"
    )
