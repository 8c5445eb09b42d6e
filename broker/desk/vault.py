"""What the desk keeps at rest, sealed under keys of one enquiry each, so that destroying two keys erases it everywhere.

    storage key = 32 random bytes in the key store, one an enquiry
    table key   = HKDF-SHA256(storage key, info = "needtoknow/v1/storage/<table>" | 0x00), 32 bytes
    sealed      = 12 random bytes | AES-256-GCM(table key, those bytes, content, associated data = "<table>|<row>")

The order of writes: both keys of an enquiry are durable in the key store before anything is sealed against them, and
they are destroyed before the store forgets that there was anything to destroy. Knows no table and no meaning.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.node.keystore import KeyMissing, KeyStore
from schemas.crypto.failures import SealBroken
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose

STORAGE_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
CACHED_KEYS: Final = 256
"""Keys kept at hand; answers of one enquiry come in close together."""


class Erased(SealBroken):
    """The keys were destroyed: what was sealed to them is unreadable for good."""

    code = "erased"


@dataclass(slots=True)
class Vault:
    """Seals and opens what belongs to an enquiry. Its methods are quick but for `create` and `erase`, which fsync."""

    _keys: KeyStore
    _ciphers: OrderedDict[tuple[str, str], AESGCM] = field(default_factory=OrderedDict, repr=False)
    _identities: OrderedDict[str, Identity] = field(default_factory=OrderedDict, repr=False)

    def create(self, enquiry: str) -> Identity:
        """Make an enquiry's storage key and reply identity; both are durable when this returns."""
        identity = Identity.generate(KeyPurpose.REPLY)
        self._keys.add(KeyPurpose.STORAGE, enquiry, os.urandom(STORAGE_KEY_BYTES))
        # A crash from here to the commit of the enquiry leaves keys that nothing refers to: `sweep` destroys them.
        self._keys.add(KeyPurpose.REPLY, identity.id, identity.seed())
        return identity

    def seal(self, enquiry: str, table: str, row: str, content: bytes) -> bytes:
        """`content`, sealed for one row of one table.

        Raises:
            Erased: the enquiry's storage key was destroyed.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher(enquiry, table).encrypt(nonce, content, _bound_to(table, row))

    def open(self, enquiry: str, table: str, row: str, sealed: bytes) -> bytes:
        """The content of a row.

        Raises:
            Erased: the enquiry's storage key was destroyed.
            SealBroken: changed bytes, or another row's.
        """
        cipher = self._cipher(enquiry, table)
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(table, row))
        except (InvalidTag, ValueError):
            raise SealBroken(f"a row of {table} does not open") from None

    def identity(self, reply_key: str) -> Identity:
        """The reply identity of that key id.

        Raises:
            Erased: it was destroyed.
        """
        found = self._identities.get(reply_key)
        if found is None:
            found = Identity.from_seed(KeyPurpose.REPLY, self._secret(KeyPurpose.REPLY, reply_key))
            self._identities[reply_key] = found
            _shorten(self._identities)
        return found

    def holds(self, enquiry: str, reply_key: str) -> bool:
        """Whether both keys of an enquiry are there."""
        return enquiry in self._keys.names(KeyPurpose.STORAGE) and reply_key in self._keys.names(KeyPurpose.REPLY)

    def erase(self, enquiry: str, reply_key: str) -> None:
        """Destroy both keys; erasing twice is erasing once. Nothing sealed to the enquiry opens after this returns."""
        self._identities.pop(reply_key, None)
        for held in [held for held in self._ciphers if held[0] == enquiry]:
            del self._ciphers[held]
        self._keys.destroy(KeyPurpose.REPLY, reply_key)
        # Last: as long as it is there, an interrupted erasure can be seen to be unfinished.
        self._keys.destroy(KeyPurpose.STORAGE, enquiry)

    def sweep(self, enquiries: Collection[str], reply_keys: Collection[str]) -> int:
        """Destroy keys that no enquiry refers to, left by a crash before their enquiry was committed; how many."""
        orphans = [(KeyPurpose.STORAGE, name) for name in self._keys.names(KeyPurpose.STORAGE) if name not in enquiries]
        orphans += [(KeyPurpose.REPLY, name) for name in self._keys.names(KeyPurpose.REPLY) if name not in reply_keys]
        for purpose, name in orphans:
            self._keys.destroy(purpose, name)
        return len(orphans)

    def _cipher(self, enquiry: str, table: str) -> AESGCM:
        cipher = self._ciphers.get((enquiry, table))
        if cipher is None:
            info = b"needtoknow/v1/storage/" + table.encode("ascii") + b"\x00"
            secret = self._secret(KeyPurpose.STORAGE, enquiry)
            cipher = AESGCM(HKDF(algorithm=SHA256(), length=STORAGE_KEY_BYTES, salt=None, info=info).derive(secret))
            self._ciphers[enquiry, table] = cipher
            _shorten(self._ciphers)
        return cipher

    def _secret(self, purpose: KeyPurpose, name: str) -> bytes:
        try:
            return self._keys.get(purpose, name)
        except KeyMissing:
            raise Erased("the enquiry was erased") from None


def _bound_to(table: str, row: str) -> bytes:
    return f"{table}|{row}".encode("ascii")


def _shorten(held: OrderedDict[tuple[str, str], AESGCM] | OrderedDict[str, Identity]) -> None:
    while len(held) > CACHED_KEYS:
        held.popitem(last=False)
