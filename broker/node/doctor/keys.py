"""The doctor on keys: that each stated key is held and opens, how they are sealed at rest, and the sealing epochs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.words import day, minute
from broker.node.home import KEPT, Home
from broker.node.keystore import KeyReader
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.messages.party import Party, StatedKey

EPOCH_AHEAD_MS: Final = 3 * DAY_MS
"""An agent makes the next epoch's key three days before the current one ends; later than that somebody is asleep."""
EPOCH_GRACE_MS: Final = 3 * DAY_MS
"""What was sealed to an epoch may still be on its way when it ends; only then may its key be destroyed."""


def check_own_keys(home: Home) -> str | Warned:
    """Every key that the party keeps is held, opens, and is the one that its file states."""
    own, keys = home.own(), home.keys_to_read()
    for purpose in KEPT[own.statement.party_kind]:
        stated = {one.key.id for one in own.keys if one.key.purpose is purpose and one.revoked_at is None}
        held = {_id_of(purpose, keys.get(purpose, name)) for name in keys.names(purpose)}
        if not stated & held:
            raise NotWell(
                f"the private {purpose} key of {own.id} is not in {home.path / 'keys'}: a start makes none; restore "
                "the key store, or repeat the enrolment"
            )
    for purpose in (KeyPurpose.ROOT, KeyPurpose.TLS):
        if not keys.names(purpose):
            raise NotWell(
                f"the private {purpose} key of {own.id} is not in {home.path / 'keys'}; restore the key store"
            )
    return _wrapped(own, keys)


def _wrapped(own: Party, keys: KeyReader) -> str | Warned:
    count, by = len(keys.held()), keys.wrapped_by
    if by == "file":
        return Warned(
            f"{own.id}: {count} keys, sealed under wrap.key beside them: whoever copies the directory has both; set "
            "keys.wrapping and run keys rewrap"
        )
    return f"{own.id}: {count} keys, sealed under {by}"


def _id_of(purpose: KeyPurpose, seed: bytes) -> str:
    if USES[purpose].algorithm is Algorithm.HPKE_HYBRID:
        return Identity.from_seed(purpose, seed).id
    return SigningKey.from_seed(purpose, seed).id


def check_epochs(party: Party, now: int, *, held: KeyReader | None = None) -> str | Warned:
    """The epoch of a party's sealing keys that is in force, the next, and those to be destroyed and when.

    Args:
        held: the party's own key store, for an agent's own doctor; a hub sees what is stated.

    Raises: NotWell, if nothing can be sealed to the party now.
    """
    names = None if held is None else set(held.names(KeyPurpose.SEAL))
    epochs = sorted(
        (one for one in party.keys if one.key.purpose is KeyPurpose.SEAL and one.revoked_at is None),
        key=lambda one: (one.epoch, one.not_before),
    )
    current = [one for one in epochs if one.in_force(now) and (names is None or one.key.id in names)]
    if not current:
        raise NotWell(f"{party.id}: no sealing key in force, so nothing can be asked of it; {_remedy(held)}")
    coming = [one for one in epochs if one.not_before > now]
    said = "; ".join(
        (
            f"{party.id}: epoch {current[-1].epoch} until {minute(current[-1].not_after)}",
            *(f"next {one.epoch} from {minute(one.not_before)}" for one in coming[:1]),
            *(_ended(epochs, names, now) if names is not None else ()),
        )
    )
    if not coming and current[-1].not_after - now < EPOCH_AHEAD_MS:
        return Warned(f"{said}; the next epoch's key is not there yet; {_remedy(held)}")
    return said


def _ended(epochs: list[StatedKey], held: set[str], now: int) -> Iterator[str]:
    for one in epochs:
        if one.not_after <= now and one.key.id in held:
            when = one.not_after + EPOCH_GRACE_MS
            says = (
                f"from {minute(when)}" if when > now else f"as soon as nothing sealed to it is open (since {day(when)})"
            )
            yield f"epoch {one.epoch} to be destroyed {says}"


def _remedy(held: KeyReader | None) -> str:
    if held is None:
        return "have that agency start its agent (agent run makes and sends it), or look at agent doctor there"
    return "start the agent: agent run makes it, and sends it to the hub"
