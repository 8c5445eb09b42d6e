"""Who is admitted: the pinned desk and agencies, and the officers a person admitted; each change is an entry.

A party is admitted with the root key it is pinned with. An officer's name for the log is only in a sealed addendum.
Refuses to know how a party file got into the folder: a person compared its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from broker.coordinator import records
from broker.coordinator.acting import Carried, tell
from broker.coordinator.removal import former_members, keep_statements, withdraw_from
from broker.coordinator.room import Room
from broker.node.store.port import AfterSeal, Seal, Transaction
from schemas import canonical
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.failures import Rejected
from schemas.messages.addendum import make_addendum
from schemas.messages.entry import MemberEntry, nonce
from schemas.messages.party import Party, PartyKind

_KINDS: dict[PartyKind, Literal["desk", "agency"]] = {PartyKind.DESK: "desk", PartyKind.AGENT: "agency"}


class OfficerNotPinned(Rejected):
    """There is no officer of that name in the coordinator's `parties` folder."""

    code = "officer_not_pinned"


class DeskNotAlone(Rejected):
    """A hub has one desk: none is pinned and one is needed, or two are."""

    code = "desk_not_alone"


class OfficerNotAdmittedYet(Rejected):
    """There is no admitted officer of that name."""

    code = "officer_not_admitted"


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody to be admitted or removed, and the entry (and its addendum) that says so."""

    party: str
    kind: str
    root: str
    is_admission: bool
    leaf: bytes
    addendum: bytes = b""


@dataclass(frozen=True, slots=True)
class _Settled:
    members: dict[str, records.Member]
    statements: dict[str, bytes]


async def take_up_members(room: Room) -> None:
    """Know who is admitted by the store, before anything is taken in; nothing is entered."""
    members = await room.post.store.read(records.members)
    room.admitted = {member.party: member.root for member in members.values()}


async def settle_members(room: Room) -> list[Change]:
    """Bring the members up to the pinned parties: admit desk and agencies, remove whoever is not pinned any more.

    Raises:
        DeskNotAlone: two desks are pinned.
    """
    if len(room.directory.of_kind(PartyKind.DESK)) > 1:
        raise DeskNotAlone("two desks are pinned; take the file of one out of the parties folder")
    members = await room.post.store.read(records.members)
    pinned = {id_: party for id_, party in room.directory.parties.items() if id_ != room.ground.me.id}
    changes = [
        _change(room, member.party, member.kind, member.root, is_admission=False)
        for member in members.values()
        if member.party not in pinned or pinned[member.party].root.id != member.root
    ]
    gone = {change.party for change in changes}
    changes += [
        _change(room, party.id, _KINDS[kind], party.root.id, is_admission=True)
        for party in pinned.values()
        if (kind := party.statement.party_kind) in _KINDS and (party.id not in members or party.id in gone)
    ]
    await commit_changes(room, changes)
    return changes


async def admit_officer(room: Room, officer: str) -> bool:
    """Admit a pinned officer; False if admitted already.

    Raises:
        OfficerNotPinned: no such officer's file is pinned here.
        DeskNotAlone: no desk is pinned, so there is no IG lead to seal the officer's name to.
    """
    party = room.directory.parties.get(officer)
    if party is None or party.statement.party_kind is not PartyKind.OFFICER:
        raise OfficerNotPinned("put the officer's party file into the parties folder first, and repin")
    if room.is_admitted(party):
        return False
    await commit_changes(room, [_change(room, party.id, "officer", party.root.id, is_admission=True)])
    return True


async def remove_officer(room: Room, officer: str) -> None:
    """Remove an officer: nothing that this officer signs is taken in from here on.

    Raises:
        OfficerNotAdmittedYet: there is no such member.
    """
    member = (await room.post.store.read(records.members)).get(officer)
    if member is None or member.kind != "officer":
        raise OfficerNotAdmittedYet("no officer of that name is admitted")
    await commit_changes(room, [_change(room, member.party, member.kind, member.root, is_admission=False)])


async def commit_changes(room: Room, changes: Iterable[Change]) -> None:
    """Append the entries and keep the members, in one commit; then act by them.

    What a removed agency was asked ends in the same commit; one that only has another root goes on.
    """
    listed, now = list(changes), room.post.clock.now()
    pinned = room.directory

    def work(tx: Transaction) -> AfterSeal[_Settled]:
        carried = Carried()
        for change in listed:
            room.log.append(tx, change.leaf)
            if change.kind == "agency" and change.party not in pinned.parties:
                ended = withdraw_from(room, tx, change.party, change.leaf, now)
                carried.tellings += ended.tellings
                carried.conclusions += ended.conclusions
            if change.addendum:
                records.put_addendum(tx, digest(change.addendum), None, change.addendum)
            if change.is_admission:
                records.add_member(tx, records.Member(change.party, change.kind, change.root, now))
            else:
                records.drop_member(tx, change.party)
        settled = _Settled(records.members(tx), keep_statements(tx, pinned.parties.values()))

        def build(tx: Transaction, seal: Seal) -> _Settled:
            tell(room, tx, seal, carried, now)
            return settled

        return AfterSeal(build)

    settled: _Settled = await room.post.commit(work)
    room.admitted = {member.party: member.root for member in settled.members.values()}
    room.post.former = former_members(room.hub, settled.statements, pinned)


def _change(room: Room, party: str, kind: str, root: str, *, is_admission: bool) -> Change:
    addendum = _about_officer(room, party, root) if kind == "officer" else b""
    entry = MemberEntry.model_validate(
        {
            "log": room.log.origin,
            "hub": room.hub,
            "t": room.post.clock.now(),
            "n": nonce(),
            "member": kind,
            "change": "admitted" if is_admission else "removed",
            "agency": party if kind == "agency" else None,
            "root": None if kind == "officer" else root,
            "addendum_digest": digest(addendum) if addendum else None,
        }
    )
    return Change(party, kind, root, is_admission, entry.encode(), addendum)


def _about_officer(room: Room, officer: str, root: str) -> bytes:
    """Which officer it is, sealed to the hub's IG lead."""
    desk = room.desk()
    if desk is None:
        raise DeskNotAlone("pin the desk's file first: an officer's name is sealed to its IG lead")
    lead, _ = room.directory.newest(desk.id, KeyPurpose.ADDENDUM, room.post.clock.now())
    pinned: Party | None = room.directory.parties.get(officer)
    role = "" if pinned is None else str(pinned.statement.officer_role)
    content = canonical.encode({"officer": officer, "role": role, "root": root})
    return make_addendum(room.hub, nonce(), content, [lead])[0]
