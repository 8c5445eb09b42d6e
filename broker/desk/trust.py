"""Whom the desk believes: the parties it pinned, its coordinator, and the one log that everything must be found in.

Answers questions about proofs; knows no exchange and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.log_keys import LogKeys
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import GroundLost, Rejected
from schemas.ledger.checkpoint import TreeHead
from schemas.ledger.failures import NoteNotSigned
from schemas.messages.party import Directory, Party, PartyKind, PartyUnknown


class HubIncomplete(GroundLost):
    """The desk's own hub cannot be told from the files that were pinned."""

    code = "hub_incomplete"


class Untimely(Rejected):
    """Something dated before what it follows from, or in the future."""

    code = "untimely"


@dataclass(frozen=True, slots=True)
class Trust:
    """What was pinned. Made once, by the program; the directory is asked each time, since parties come and go."""

    desk: Party
    coordinator: Party
    origin: str
    """Origin of the coordinator's log."""
    current: Callable[[], Directory] = field(repr=False)
    bearing: list[Callable[[TreeHead], None]] = field(default_factory=list, repr=False)
    """Asked of a tree that a dead key of the log signed; each raises unless the log bears it out."""

    @classmethod
    def of(cls, desk: Party, current: Callable[[], Directory]) -> Trust:
        """The trust that follows from a directory.

        Args:
            current: gives the directory as it is at that moment.

        Raises:
            HubIncomplete: not exactly one coordinator is pinned, or its file names no log.
        """
        try:
            coordinator = current().only(PartyKind.COORDINATOR)
        except PartyUnknown as failure:
            raise HubIncomplete(f"{failure.detail}; pin the coordinator's file") from None
        if coordinator.statement.log is None:
            raise HubIncomplete("the coordinator's file names no log; make it again with one")
        return cls(desk, coordinator, coordinator.statement.log, current)

    @property
    def directory(self) -> Directory:
        """Whoever is pinned at this moment."""
        return self.current()

    @property
    def hub(self) -> str:
        """The hub's name."""
        return self.desk.statement.hub

    def prove(self, receipt: bytes, now: int) -> bytes:
        """The leaf of a receipt that the coordinator's log gave.

        Raises:
            ProofAwaited, ProofUnborne: a dead key of the log signed it; see `broker.desk.following`.
            Rejected: as `schemas.ledger.receipt.verify_receipt`.
        """
        proof = self.log_keys(now).receipt(receipt)
        if not proof.is_live:
            if not self.bearing:
                raise NoteNotSigned
            for bear_out in self.bearing:
                bear_out(proof.proven.head)
        return proof.proven.leaf

    async def proven(self, receipt: bytes, now: int) -> bytes:
        """As `prove`, for whoever waits for it."""
        return self.prove(receipt, now)

    def log_keys(self, now: int) -> LogKeys:
        """The keys of the coordinator's log, by its newest statement.

        Raises:
            PartyUnknown: the coordinator is not pinned any more.
        """
        return LogKeys.of(self.directory.party(self.coordinator.id), now)

    def agency(self, name: str) -> Party:
        """The pinned agency of that name.

        Raises:
            PartyUnknown: nobody, or no agency, of that name is pinned.
        """
        party = self.directory.party(name)
        if party.statement.party_kind is not PartyKind.AGENT:
            raise PartyUnknown("that party is not an agency")
        return party

    def officer(self, name: str) -> Party:
        """The pinned officer of that name.

        Raises:
            PartyUnknown: nobody, or no officer, of that name is pinned.
        """
        party = self.directory.party(name)
        if party.statement.party_kind is not PartyKind.OFFICER:
            raise PartyUnknown("that party is not an officer")
        return party

    def officer_key(self, name: str, since: int, now: int) -> PublicKey:
        """The key that an officer signs requests with: that of the key file whose keys began at `since`, or the newest.

        Raises:
            PartyUnknown, KeyNotInForce: there is none.
        """
        for one in self.officer(name).keys:
            is_good = one.revoked_at is None and one.in_force(now)
            if one.key.purpose is KeyPurpose.OFFICER and one.not_before == since and is_good:
                return one.key
        return self.directory.newest(name, KeyPurpose.OFFICER, now)[0]

    def ig_lead(self, party: str, now: int) -> PublicKey:
        """The addendum key of a party's information-governance lead.

        Raises:
            PartyUnknown, KeyNotInForce: there is none.
        """
        return self.directory.newest(party, KeyPurpose.ADDENDUM, now)[0]


def check_dated(at: int, *, not_before: int, now: int, what: str) -> None:
    """That something was made between two instants, give or take the permitted difference of clocks.

    Raises:
        Untimely: it was not.
    """
    if not not_before - PERMITTED_SKEW_MS <= at <= now + PERMITTED_SKEW_MS:
        raise Untimely(f"{what} is dated before the request, or in the future")
