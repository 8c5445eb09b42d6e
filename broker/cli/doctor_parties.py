"""The doctor on keys: a hub's own, and those of the parties it pinned; which are there, and for how long."""

from __future__ import annotations

from typing import Final

from broker.cli.checked import NotWell, Warned
from broker.client.hub import Hub
from broker.desk.cards import load_cards
from broker.node.home import DAY_MS, KEPT, Home
from broker.node.keystore import FileWrappingKey, KeyStore
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.messages.party import Directory, Party, PartyKind

HOUR_MS: Final = 3_600_000
SIGNING_SOON_MS: Final = 30 * DAY_MS
"""A month to make the next year's keys, and for every party to pin them."""
SEALING_SOON_MS: Final = 1 * DAY_MS
"""A working day to hand on an agency's next epoch."""


def check_own_keys(home: Home, now: int) -> str | Warned:
    """Every key the party states is held, is the one stated, and is in force."""
    own = home.own()
    # Not `home.keystore()`: opening it finishes what a crash interrupted, and the program may be writing just now.
    directory = home.path / "keys"
    keys = KeyStore(directory, FileWrappingKey(directory / "wrap.key"))
    for purpose in KEPT[own.statement.party_kind]:
        stated = {one.key.id for one in own.keys if one.key.purpose is purpose}
        held = {_id_of(purpose, keys.get(purpose, name)) for name in keys.names(purpose)}
        if not stated & held:
            raise NotWell(f"the private {purpose} key of {own.id} is not in {directory}; restore the key store")
    return _lasting(own, now, own.id)


def _id_of(purpose: KeyPurpose, seed: bytes) -> str:
    if USES[purpose].algorithm is Algorithm.HPKE_HYBRID:
        return Identity.from_seed(purpose, seed).id
    return SigningKey.from_seed(purpose, seed).id


def check_each_other(hub: Hub) -> str:
    """Coordinator and desk pinned each other, by the files they have now."""
    for home, other, kind in (
        (hub.coordinator, hub.desk, PartyKind.DESK),
        (hub.desk, hub.coordinator, PartyKind.COORDINATOR),
    ):
        found = home.directory().of_kind(kind)
        if len(found) != 1 or found[0].raw != other.own().raw:
            raise NotWell(f"{home.path} has not pinned {other.path / 'own.party'}: copy it to {home.path / 'parties'}")
    return "coordinator and desk pinned each other"


def check_agencies(hub: Hub, now: int) -> str | Warned:
    """Each agency is pinned alike at both, and something can be sealed to it."""
    agencies = _alike(hub, PartyKind.AGENT)
    if not agencies:
        return Warned("no agency is pinned, so nobody can be asked: broker pin AGENCY.party")
    said = [_agency(agency, now) for agency in agencies]
    text = "; ".join(one.said if isinstance(one, Warned) else one for one in said)
    return Warned(text) if any(isinstance(one, Warned) for one in said) else text


def _agency(agency: Party, now: int) -> str | Warned:
    ends = _latest_end(agency, KeyPurpose.SEAL, now)
    left = ends - now
    if left < SEALING_SOON_MS:
        return Warned(f"{agency.id}: sealing key for {left // HOUR_MS} hours; pin its next file (broker pin)")
    lasting = _lasting(agency, now, agency.id, beside=KeyPurpose.SEAL)
    hours = f"sealing key for {left // HOUR_MS} hours"
    return Warned(f"{lasting.said}, {hours}") if isinstance(lasting, Warned) else f"{lasting}, {hours}"


def check_officers(hub: Hub, now: int) -> str | Warned:
    """Each officer is pinned alike at both, has a card at the desk, and can sign."""
    officers, cards = _alike(hub, PartyKind.OFFICER), load_cards(hub.desk)
    if not officers:
        return Warned("no officer is pinned, so nobody can ask: broker officer new, then broker officer add")
    known = {officer.id for officer in officers}
    for officer in officers:
        if officer.id not in cards:
            raise NotWell(f"{officer.id} has no card at the desk: broker officer remove, then broker officer add")
    for stray in sorted(set(cards) - known):
        raise NotWell(f"{stray} has a card at the desk and is not pinned: broker officer add")
    for officer in officers:
        lasting = _lasting(officer, now, officer.id)
        if isinstance(lasting, Warned):
            return lasting
    return f"{len(officers)} pinned, each with a card"


def _alike(hub: Hub, kind: PartyKind) -> list[Party]:
    at_coordinator, at_desk = _files(hub.coordinator.directory(), kind), _files(hub.desk.directory(), kind)
    for name in sorted(set(at_coordinator) | set(at_desk)):
        if name not in at_coordinator or name not in at_desk or at_coordinator[name].raw != at_desk[name].raw:
            raise NotWell(f"{name} is not pinned alike at coordinator and desk: pin its newest file at both")
    return list(at_coordinator.values())


def _files(directory: Directory, kind: PartyKind) -> dict[str, Party]:
    return {party.id: party for party in directory.of_kind(kind)}


def _lasting(party: Party, now: int, name: str, *, beside: KeyPurpose | None = None) -> str | Warned:
    purposes = {one.key.purpose for one in party.keys} - {beside}
    ends = {purpose: _latest_end(party, purpose, now) for purpose in purposes}
    first = min(ends, key=lambda purpose: (ends[purpose], purpose))
    days = (ends[first] - now) // DAY_MS
    if ends[first] - now < SIGNING_SOON_MS:
        return Warned(f"{name}: the {first} key ends in {days} days; make new keys and have the others pin them")
    return f"{name}: keys for {days} days"


def _latest_end(party: Party, purpose: KeyPurpose, now: int) -> int:
    ends = [one.not_after for one in party.keys if one.key.purpose is purpose and one.in_force(now)]
    if not ends:
        raise NotWell(f"{party.id} has no {purpose} key in force: ask that party for its newest file and pin it")
    return max(ends)
