"""What an entry of the log does not say: its addendum, opened with the key of an information-governance lead.

Only a lead to whom it was sealed reads it: the hub's, and the agency's where the entry is about one. The key stays in
this program; the coordinator gives out sealed bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from broker.node.keyfile import read_key_file
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch, digest, unpack
from schemas.messages.addendum import AddendumHeader, key_for_reader, open_addendum
from schemas.messages.model import read


def read_addendum(raw: bytes, named: str, lead_key: Path) -> dict[str, Any]:
    """The content of an addendum.

    Args:
        raw: the addendum as it is kept, sealed.
        named: the digest that the entry names it by.
        lead_key: the key file of a lead to whom it was sealed.

    Raises:
        KeyFileInvalid: the file holds no lead's key.
        PartMismatch: the bytes are not those that the entry names.
        NotAReader: it was not sealed to that lead.
        SealBroken, KeyNotCommitted: it does not open.
    """
    found: dict[str, Any] = json.loads(open_for_lead(raw, named, read_key_file(lead_key).identity(KeyPurpose.ADDENDUM)))
    return found


def open_for_lead(raw: bytes, named: str, lead: Identity) -> bytes:
    """The content of an addendum, as canonical bytes, opened with a lead's key that was read before.

    Raises:
        PartMismatch: the bytes are not those that the entry names.
        NotAReader: it was not sealed to that lead.
        SealBroken, KeyNotCommitted: it does not open.
    """
    if digest(raw) != named:
        raise PartMismatch("not the addendum that the entry names")
    about = read(AddendumHeader, unpack(raw).header)
    return open_addendum(raw, key_for_reader(raw, lead), hub=about.hub, about=about.about)
