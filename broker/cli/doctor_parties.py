"""The doctor on the parties a hub pinned: which are there, alike at both, and for how long they have keys."""

from __future__ import annotations

from broker.client.hub import Hub
from broker.desk.cards import load_cards
from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.endings import notice
from broker.node.doctor.keys import check_epochs
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import Directory, Party, PartyKind


def check_each_other(hub: Hub) -> str:
    """Coordinator, desk and admission pinned each other, by the roots they have now; newer keys come by themselves."""
    homes = {
        PartyKind.COORDINATOR: hub.coordinator,
        PartyKind.DESK: hub.desk,
        PartyKind.ADMISSION: hub.admission,
    }
    for home in homes.values():
        for kind, other in homes.items():
            if other is home:
                continue
            found = home.directory().of_kind(kind)
            if len(found) != 1 or found[0].root != other.own().root:
                own = other.path / "own.party"
                raise NotWell(f"{home.path} has not pinned {own}: copy it to {home.path / 'parties'}")
    return "coordinator, desk and admission pinned each other"


def check_agencies(hub: Hub, now: int) -> str | Warned:
    """Each agency is pinned alike at both, and something can be sealed to it."""
    agencies = _alike(hub, PartyKind.AGENT)
    if not agencies:
        return Warned("no agency is pinned, so nobody can be asked: broker agency admit REQUEST")
    said = [_agency(agency, now) for agency in agencies]
    text = "; ".join(one.said if isinstance(one, Warned) else one for one in said)
    return Warned(text) if any(isinstance(one, Warned) for one in said) else text


def _agency(agency: Party, now: int) -> str | Warned:
    epochs = check_epochs(agency, now)
    lasting = _lasting(agency, now, agency.id, beside=KeyPurpose.SEAL)
    said = "; ".join(one.said if isinstance(one, Warned) else one for one in (epochs, lasting))
    return Warned(said) if isinstance(epochs, Warned) or isinstance(lasting, Warned) else said


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
    if (ahead := notice(ends[first] - now)) is not None:
        return Warned(f"{name}: the {first} key ends in {days} days ({ahead}-day notice); have that party renew it")
    return f"{name}: keys for {days} days"


def _latest_end(party: Party, purpose: KeyPurpose, now: int) -> int:
    ends = [one.not_after for one in party.keys if one.key.purpose is purpose and one.in_force(now)]
    if not ends:
        raise NotWell(f"{party.id} has no {purpose} key in force: ask that party for its newest file and pin it")
    return max(ends)
