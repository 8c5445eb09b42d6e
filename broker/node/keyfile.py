"""Private keys that a person carries: an officer's, an IG lead's. One owner-only file (SPEC 3.6).

Programs' own keys are not here but in `broker.node.keystore`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas import canonical
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure, Rejected
from schemas.messages.fields import decode_base64, encode_base64
from schemas.messages.party import Party, read_party

_KIND: Final = "key-file"
_LIMIT_BYTES: Final = 16 * 1024


class KeyFileInvalid(Failure):
    """A key file that is missing, damaged, readable by others, or without the key asked for."""

    code = "key_file_invalid"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys of one person. Never shown."""

    label: str
    _seeds: Mapping[KeyPurpose, bytes] = field(repr=False)
    party: Party | None = None

    def signing_key(self, purpose: KeyPurpose) -> SigningKey:
        """The person's signing key of that purpose.

        Raises:
            KeyFileInvalid: the file holds none.
        """
        return SigningKey.from_seed(purpose, self._seed(purpose))

    def identity(self, purpose: KeyPurpose) -> Identity:
        """The person's private sealing key of that purpose.

        Raises:
            KeyFileInvalid: the file holds none.
        """
        return Identity.from_seed(purpose, self._seed(purpose))

    def _seed(self, purpose: KeyPurpose) -> bytes:
        if purpose not in self._seeds:
            raise KeyFileInvalid(f"this key file holds no {purpose} key")
        return self._seeds[purpose]


def write_key_file(path: Path, label: str, seeds: Mapping[KeyPurpose, bytes], party: Party | None = None) -> None:
    """Write a new owner-only key file; an existing file is never overwritten.

    Raises:
        KeyFileInvalid: the file exists, or cannot be written.
    """
    members: dict[str, object] = {
        "v": 1,
        "kind": _KIND,
        "label": label,
        "keys": {str(purpose): encode_base64(seed) for purpose, seed in seeds.items()},
    }
    if party is not None:
        members["party"] = party.raw.decode("ascii")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(canonical.encode(members))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise KeyFileInvalid(f"{path} exists; a key file is never overwritten") from None
    except OSError as error:
        raise KeyFileInvalid(f"{path} cannot be written ({error.strerror})") from None


def read_key_file(path: Path) -> KeyFile:
    """The keys in a file that nobody but its owner can read.

    Raises:
        KeyFileInvalid: see there.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFileInvalid(f"{path} can be read by others; run: chmod 600 {path}")
        members = canonical.parse(path.read_bytes(), limit_bytes=_LIMIT_BYTES)
    except OSError:
        raise KeyFileInvalid(f"{path} cannot be read") from None
    except Rejected as failure:
        raise KeyFileInvalid(f"{path} is not a key file ({failure.code})") from None
    keys, label, party = members.get("keys"), members.get("label"), members.get("party")
    if members.get("kind") != _KIND or not isinstance(keys, dict) or not isinstance(label, str):
        raise KeyFileInvalid(f"{path} is not a key file")
    try:
        seeds = {KeyPurpose(purpose): decode_base64(str(seed)) for purpose, seed in keys.items()}
        return KeyFile(label, seeds, read_party(party.encode("ascii")) if isinstance(party, str) else None)
    except (ValueError, Rejected):
        raise KeyFileInvalid(f"{path} is damaged") from None
