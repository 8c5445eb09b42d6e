"""The key store's own backup: one file, apart from every other, sealed under a passphrase.

It holds what a party is known by and signs with, and nothing that opens: the keys of sealing epochs, of enquiries and
of what lies at rest are destroyed when their time is over, and must not come back out of a backup (DESIGN section 2,
promise 8). Sealed under a passphrase of its own, not left wrapped: the wrapping key of a key store may live in a device
or a machine that is lost together with it (deploy/decisions/0013).

    key   = Argon2id(passphrase, salt), RFC 9106, parameters in the file
    file  = canonical JSON: header members and `sealed`, AES-256-GCM over the keys with the header as associated data
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from pydantic import Field

from broker.node.backup_files import BackupInvalid
from broker.node.home import Home
from broker.node.keystore import KeyReader, KeyStore
from broker.node.owner_only import read_owner_only, write_durably
from broker.node.wrapping import KEY_BYTES, AeadWrappingKey, KeyDamaged, read_passphrase
from broker.node.wrapping_choice import configured_wrapping
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.failures import Rejected
from schemas.messages.fields import Base64, Millis, Slug, decode_base64, encode_base64
from schemas.messages.model import Message, Part, read
from schemas.messages.party import PartyKind

BACKED_UP: Final = frozenset(
    purpose for purpose, use in USES.items() if use.algorithm in (Algorithm.ED25519, Algorithm.ECDSA_P256)
)
"""What signs or proves who the party is. Nothing that opens a seal is ever in a backup."""
_LIMIT_BYTES: Final = 1024 * 1024
_SALT_BYTES: Final = 16
_ASSOCIATED: Final = b"needtoknow/v1/key-backup\x00"


class SealedKeys(Message):
    """The file."""

    kind: Literal["key-backup"] = "key-backup"
    hub: Slug
    party: Slug
    party_kind: PartyKind
    made_at: Millis
    salt: Base64
    iterations: Annotated[int, Field(ge=2, le=32)] = 3
    lanes: Annotated[int, Field(ge=1, le=16)] = 4
    memory_kib: Annotated[int, Field(ge=19 * 1024, le=1024 * 1024)] = 64 * 1024
    sealed: Annotated[str, Field(max_length=_LIMIT_BYTES)] = ""


class _Key(Part):
    purpose: KeyPurpose
    name: str
    secret: Base64


class _Keys(Message):
    kind: Literal["keys"] = "keys"
    keys: list[_Key]


@dataclass(frozen=True, slots=True)
class OpenedKeys:
    """Keys out of a backup, on their way into a key store."""

    party: str
    party_kind: PartyKind
    made_at: int
    _keys: tuple[tuple[str, str, bytes], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self._keys)

    def put_into(self, directory: Path, config: Path) -> None:
        """Make a key store of them, sealed as that configuration says; its parent must exist.

        Raises:
            KeyExists: there is a key store already. KeyStoreUnsafe.
        """
        store = KeyStore.create(directory, configured=configured_wrapping(config))
        try:
            for purpose, name, secret in self._keys:
                store.add(purpose, name, secret)
        finally:
            store.close()


def back_up_keys(home: Home, target: Path, passphrase: Path, *, now: int) -> list[str]:
    """Write a party's lasting keys into a new owner-only file; gives back their purposes, one a key.

    Reads beside the running program.

    Raises:
        BackupInvalid: the file is there already or cannot be written.
        KeyStoreUnsafe, KeyDamaged: the key store cannot be read, or the passphrase is too weak.
    """
    statement = home.own().statement
    reader = home.keys_to_read()
    keys = [
        _Key(purpose=KeyPurpose(purpose), name=name, secret=encode_base64(reader.get(purpose, name)))
        for purpose, name in _lasting(reader)
    ]
    header = SealedKeys(
        hub=statement.hub,
        party=statement.party,
        party_kind=statement.party_kind,
        made_at=now,
        salt=encode_base64(secrets.token_bytes(_SALT_BYTES)),
    )
    sealed = _wrapping(header, passphrase).wrap(_Keys(keys=keys).encode(), _ASSOCIATED + header.encode())
    try:
        write_durably(target, header.model_copy(update={"sealed": encode_base64(sealed)}).encode())
    except FileExistsError:
        raise BackupInvalid(f"{target} exists; a key backup is never overwritten") from None
    except OSError as error:
        raise BackupInvalid(f"{target} cannot be written ({error.strerror})") from None
    return [key.purpose.value for key in keys]


def open_keys(source: Path, passphrase: Path) -> OpenedKeys:
    """Open a key backup.

    Raises:
        BackupInvalid: it is none, or the passphrase does not open it.
        KeyStoreUnsafe: file or passphrase can be read by others.
    """
    try:
        sealed = read(SealedKeys, read_owner_only(source), limit_bytes=_LIMIT_BYTES)
        header = sealed.model_copy(update={"sealed": ""})
        raw = _wrapping(header, passphrase).unwrap(decode_base64(sealed.sealed), _ASSOCIATED + header.encode())
        keys = read(_Keys, raw, limit_bytes=_LIMIT_BYTES).keys
    except KeyDamaged:
        raise BackupInvalid(f"{source} does not open with that passphrase, or is damaged") from None
    except Rejected as failure:
        raise BackupInvalid(f"{source} is no key backup ({failure.code})") from None
    held = tuple((key.purpose.value, key.name, decode_base64(key.secret)) for key in keys if key.purpose in BACKED_UP)
    return OpenedKeys(sealed.party, sealed.party_kind, sealed.made_at, held)


def _lasting(reader: KeyReader) -> list[tuple[str, str]]:
    return [(purpose, name) for purpose, name in reader.held() if purpose in BACKED_UP]


def _wrapping(header: SealedKeys, passphrase: Path) -> AeadWrappingKey:
    derive = Argon2id(
        salt=decode_base64(header.salt),
        length=KEY_BYTES,
        iterations=header.iterations,
        lanes=header.lanes,
        memory_cost=header.memory_kib,
    )
    return AeadWrappingKey("key-backup", derive.derive(read_passphrase(passphrase)))
