"""A party's next statement: a key replaced as planned, a key replaced in an emergency, the next sealing epoch.

Pure: the statement before, the new public key and the time go in; the statement after comes out, unsigned. Refuses to
know private keys, files and whom the statement is sent to.

    planned      the new key begins an hour from now; the old one ends a week after that
    emergency    the new key has begun; the old ones are revoked from now on, and stay named so that nobody takes them
    next epoch   begins where the last one ends, and lasts as long as an epoch may
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.home import KEY_LIFE_MS, SEALING_EPOCH_MS
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, PartyStatement

_MS: Final = timedelta(milliseconds=1)
PUBLISHED_AHEAD_MS: Final = timedelta(hours=1) // _MS
"""A planned key is used this long after it was stated: the directory reaches whoever is connected in seconds."""
OVERLAP_MS: Final = timedelta(days=7) // _MS
"""How long a planned key's forerunner stays good: what it signed may wait for a party that is away for a week."""
REMEMBERED_MS: Final = timedelta(days=120) // _MS
"""How long an ended key stays in the statement: no message is valid for longer than 90 days, no request than 60."""
SEAL_REMEMBERED_MS: Final = timedelta(days=10) // _MS
"""Sealing keys are large and there is one a week: they go once nothing new can be sealed to them."""
SEAL_GRACE_MS: Final = timedelta(days=3) // _MS
"""How long after its end a sealing key is kept: what was sealed to it in time is taken in by the hub until then."""
SEALED_AHEAD_MS: Final = timedelta(minutes=30) // _MS
"""A request is sealed to the epoch that will be in force then: it is signed within ten minutes, and taken in after."""
ALWAYS_STATED: Final = frozenset({KeyPurpose.DEED, KeyPurpose.LOG, KeyPurpose.WITNESS, KeyPurpose.ADDENDUM})
"""What they signed or sealed lies in logs for good; audits need the key of that time."""


class RotationUnderWay(Failure):
    """A planned key of that purpose was stated and has not begun; another would only overtake it."""

    code = "rotation_under_way"


def replaced(
    before: PartyStatement, fresh: PublicKey, *, now: int, emergency: bool, at_once: bool = False
) -> PartyStatement:
    """The statement after a key of the same purpose as `fresh` was replaced by it.

    Raises:
        RotationUnderWay: a planned one while the last planned one has not begun.
    """
    purpose = fresh.purpose
    same = [key for key in before.keys if key.purpose is purpose and key.revoked_at is None]
    in_force = [key for key in same if key.not_before <= now < key.not_after]
    if not emergency and any(key.not_before + PERMITTED_SKEW_MS > now for key in same):
        raise RotationUnderWay(f"a new {purpose.value} key is stated and begins within the hour; wait for it")
    at_once = at_once or emergency or not in_force or purpose is KeyPurpose.BUS_ACCOUNT
    # Begun for clocks behind ours too. An account is used from when the hub's reply names it, and not by its dates.
    begins = now - 2 * PERMITTED_SKEW_MS if at_once else now + PUBLISHED_AHEAD_MS
    is_seal = purpose is KeyPurpose.SEAL
    stated = _stated(
        fresh, begins, begins + (SEALING_EPOCH_MS if is_seal else KEY_LIFE_MS), _next_epoch(before, purpose)
    )
    keys = [_after(key, begins, now, emergency=emergency) if key in same else key for key in before.keys]
    return _next(before, [*keys, stated], now)


def next_sealing_epoch(before: PartyStatement, fresh: PublicKey, *, now: int) -> PartyStatement:
    """The statement with one sealing epoch more: it begins where the last ends, or now if that is over."""
    ends = [key.not_after for key in before.keys if key.purpose is KeyPurpose.SEAL and key.revoked_at is None]
    begins = max(ends, default=0)
    if begins <= now:
        begins = now - 2 * PERMITTED_SKEW_MS
    stated = _stated(fresh, begins, begins + SEALING_EPOCH_MS, _next_epoch(before, KeyPurpose.SEAL))
    return _next(before, [*before.keys, stated], now)


def without(before: PartyStatement, publics: Sequence[str], now: int) -> PartyStatement:
    """The statement less keys that are of no more use to anybody; `publics` as they stand in it."""
    return _next(before, [key for key in before.keys if key.public not in publics], now)


def _stated(key: PublicKey, begins: int, ends: int, epoch: int) -> KeyStatement:
    public = encode_base64(key.raw)
    return KeyStatement(purpose=key.purpose, public=public, not_before=begins, not_after=ends, epoch=epoch)


def _next_epoch(before: PartyStatement, purpose: KeyPurpose) -> int:
    if purpose is not KeyPurpose.SEAL:
        return 0
    return 1 + max((key.epoch for key in before.keys if key.purpose is purpose), default=0)


def _after(key: KeyStatement, begins: int, now: int, *, emergency: bool) -> KeyStatement:
    if emergency:
        # From the next millisecond: what it signed in this one was signed before.
        return key.model_copy(update={"revoked_at": now + 1})
    ends = max(key.not_before + 1, min(key.not_after, begins + OVERLAP_MS))
    return key.model_copy(update={"not_after": ends})


def _next(before: PartyStatement, keys: Sequence[KeyStatement], now: int) -> PartyStatement:
    newest = {key.purpose: key for key in sorted(keys, key=lambda key: (key.not_before, key.epoch))}
    kept = [key for key in keys if key is newest[key.purpose] or _is_remembered(key, now)]
    # Validated as a whole: what is signed must be what everybody else can read.
    members = before.model_dump() | {"keys": [key.model_dump() for key in kept]}
    return PartyStatement.model_validate(members | {"issued_at": now, "serial": before.serial + 1})


def _is_remembered(key: KeyStatement, now: int) -> bool:
    remembered = SEAL_REMEMBERED_MS if key.purpose is KeyPurpose.SEAL else REMEMBERED_MS
    return key.purpose in ALWAYS_STATED or now < key.not_after + remembered
