"""Who is who in the hub at one moment: its own three parties, the agencies by how they stand, the accounts of each.

Read from the store in the transaction that uses it, so that a step is decided on what it will be committed beside.
Refuses to know what a step does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from broker.enrolment.books import records
from broker.enrolment.books.records import Account, Member, MemberState
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.messages.directory import DirectoryLine, Standing, line_of
from schemas.messages.fields import decode_base64
from schemas.messages.party import Directory, Party, PartyKind, read_party_frame

_ON_RECORD: Final = {MemberState.ADMITTED: Standing.ADMITTED, MemberState.SUSPENDED: Standing.SUSPENDED}


class NotAMember(Rejected):
    """There is no admitted agency of that name."""

    code = "not_a_member"


@dataclass(frozen=True, slots=True)
class Register:
    """A snapshot. `hub` are coordinator, desk and admission; `agencies` everyone that was ever admitted."""

    hub: Mapping[PartyKind, Party]
    members: Mapping[str, Member]
    agencies: Mapping[str, Party]
    accounts: Mapping[str, Account]

    @property
    def admission(self) -> Party:
        """Admission itself."""
        return self.hub[PartyKind.ADMISSION]

    @property
    def coordinator(self) -> Party:
        """The coordinator, who keeps the log."""
        return self.hub[PartyKind.COORDINATOR]

    @property
    def directory(self) -> Directory:
        """Whoever may speak to admission over the bus."""
        # Put together without comparing each with each: no key came in that was somebody else's (`key_of`).
        known = [*self.hub.values(), *(self.agencies[name] for name in self.members if self._is_listed(name))]
        return Directory(self.admission.statement.hub, {party.id: party for party in known})

    def lines(self) -> list[DirectoryLine]:
        """The lines of the hub's directory."""
        lines = [line_of(party) for party in self.hub.values()]
        for name, member in self.members.items():
            if member.state in _ON_RECORD:
                lines.append(line_of(self.agencies[name], _ON_RECORD[member.state]))
        return sorted(lines, key=lambda line: line.party)

    def party(self, name: str) -> Party:
        """The hub's own party or the agency of that name, as it stands in the directory.

        Raises:
            NotAMember: there is none.
        """
        for party in self.hub.values():
            if party.id == name:
                return party
        if name not in self.members or not self._is_listed(name):
            raise NotAMember("no agency of that name is admitted")
        return self.agencies[name]

    def member(self, name: str, states: Collection[MemberState] = tuple(MemberState)) -> Member:
        """The agency of that name, if it stands so.

        Raises:
            NotAMember: it does not.
        """
        member = self.members.get(name)
        if member is None:
            raise NotAMember("no agency of that name was ever admitted; see: broker agency list")
        if member.state not in states:
            raise NotAMember(f"the agency is {member.state.value}")
        return member

    def owner_of(self, account: str) -> Member | None:
        """The agency whose account that is."""
        held = self.accounts.get(account)
        return None if held is None else self.members.get(held.party)

    def _is_listed(self, name: str) -> bool:
        return self.members[name].state in _ON_RECORD


def read_register(tx: Transaction, pinned: Directory) -> Register:
    """The register as the store has it. `pinned`: the hub's own parties, admission among them, by their files."""
    newest = records.hub_statements(tx)
    hub = {}
    for party in pinned.parties.values():
        renewed = party_of(newest[party.id]) if party.id in newest else party
        is_newer = renewed.root == party.root and renewed.statement.serial > party.statement.serial
        hub[party.statement.party_kind] = renewed if is_newer else party
    members = records.members(tx)
    agencies = {name: party_of(member.statement) for name, member in members.items()}
    return Register(hub, members, agencies, records.accounts(tx))


@lru_cache(maxsize=8192)
def party_of(frame: bytes) -> Party:
    """The party of a frame; each is read once, as its signature and keys take a millisecond to check.

    Raises:
        PartyFileInvalid.
    """
    return read_party_frame(frame)


def keys_of(party: Party) -> list[bytes]:
    """Every public key that a party states, its root among them."""
    return [party.root.raw, *(decode_base64(key.public) for key in party.statement.keys)]
