"""An officer's keys, made by the officer: a private key file, and a public party file to be admitted with.

The officer's id is random: it stands in request headers, and there must be no personal datum in one.
"""

from __future__ import annotations

import os
from pathlib import Path

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.home import KEY_LIFE_MS
from broker.node.keyfile import KeyFileInvalid, read_key_file, write_key_file
from broker.node.restating import replaced
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyKind, PartyStatement, read_party, state_party
from schemas.vocabulary import OfficerRole


def renew_officer(key_path: Path, new_key_path: Path, party_path: Path, *, emergency: bool, now: int) -> Party:
    """Give an officer new keys under the same root, and write a new key file and the newer public file.

    Args:
        emergency: the keys of before are dead at once; else they are good for a week.
        now: milliseconds UTC.

    Raises:
        KeyFileInvalid: the old key file cannot be read, or the new one exists.
    """
    old = read_key_file(key_path)
    if old.party is None:
        raise KeyFileInvalid(f"{key_path} is not an officer's key file")
    root, statement = old.signing_key(KeyPurpose.ROOT), old.party.statement
    assert statement.officer_role is not None
    fresh = [SigningKey.generate(purpose) for purpose in _purposes(statement.officer_role)]
    for key in fresh:
        # A file goes from hand to hand: the new keys have begun when it arrives, and the old ones go on meanwhile.
        statement = replaced(statement, key.public, now=now, emergency=emergency, at_once=True)
    party = read_party(state_party(statement.model_copy(update={"serial": old.party.statement.serial + 1}), root))
    seeds = {key.purpose: key.seed() for key in (root, *fresh)}
    write_key_file(new_key_path, f"officer {party.id}", seeds, party)
    party_path.write_bytes(party.raw)
    return party


def make_officer(key_path: Path, party_path: Path, *, hub: str, role: OfficerRole, position: str, now: int) -> Party:
    """Make an officer's keys and write both files.

    Args:
        position: what the officer is, for example "Duty social worker"; never a name.
        now: milliseconds UTC.

    Raises:
        KeyFileInvalid: the key file exists, or cannot be written.
    """
    root = SigningKey.generate(KeyPurpose.ROOT)
    keys = [SigningKey.generate(purpose) for purpose in _purposes(role)]
    statement = PartyStatement(
        hub=hub,
        party=f"o-{os.urandom(5).hex()}",
        party_kind=PartyKind.OFFICER,
        officer_role=role,
        name=position,
        root=encode_base64(root.public.raw),
        keys=[
            KeyStatement(
                purpose=key.purpose,
                public=encode_base64(key.public.raw),
                not_before=now - 2 * PERMITTED_SKEW_MS,
                not_after=now + KEY_LIFE_MS,
            )
            for key in keys
        ],
        issued_at=now,
        serial=1,
    )
    party = read_party(state_party(statement, root))
    seeds = {key.purpose: key.seed() for key in (root, *keys)}
    write_key_file(key_path, f"officer {party.id}", seeds, party)
    party_path.write_bytes(party.raw)
    return party


def _purposes(role: OfficerRole) -> tuple[KeyPurpose, ...]:
    """The keys an officer has beside the root: the hub's IG lead signs versions of its policy as well."""
    asks = (KeyPurpose.OFFICER, KeyPurpose.COMMAND)
    return (*asks, KeyPurpose.POLICY) if role is OfficerRole.IG_LEAD else asks
