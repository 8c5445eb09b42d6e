"""What follows when an agency is a member no more: what it was asked is withdrawn, what waits for it is taken back.

In the one transaction that has the entry of the removal, so that there is never an agency removed and still asked.
Refuses to know why it was removed; that it can no longer reach anybody is admission's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.coordinator import records, removal_records
from broker.coordinator.acting import Carried, Cause, carry_out
from broker.coordinator.events import AgencyRemoved
from broker.coordinator.exchange import step
from broker.coordinator.room import Room
from broker.node.store.port import Transaction
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import nonce
from schemas.messages.party import Directory, Party, PartyKind, read_party


def withdraw_from(room: Room, tx: Transaction, agency: str, removal: bytes, now: int) -> Carried:
    """End every open exchange with an agency. `removal` is the leaf of the entry that says it was removed."""
    all_carried = Carried()
    for exchange_id in removal_records.open_exchanges_of(tx, agency):
        done = step(records.get_exchange(tx, exchange_id), AgencyRemoved(), now)
        carried = carry_out(room, tx, done, Cause(now, nonce(), removal=leaf_hash(removal).hex()))
        records.put_exchange(tx, done.exchange)
        all_carried.tellings += carried.tellings
        all_carried.conclusions += carried.conclusions
    removal_records.forget_messages_to(tx, agency)
    return all_carried


def keep_statements(tx: Transaction, parties: Iterable[Party]) -> dict[str, bytes]:
    """Keep the newest statement of every pinned agency; gives back those of all that ever were."""
    for party in parties:
        if party.statement.party_kind is PartyKind.AGENT:
            removal_records.keep_agency_statement(tx, party.id, party.raw)
    return removal_records.agency_statements(tx)


def former_members(hub: str, statements: dict[str, bytes], pinned: Directory) -> Directory:
    """The agencies that were members once and are not pinned any more."""
    former = Directory.of(hub, [])
    for name, statement in statements.items():
        if name not in pinned.parties:
            former = former.with_party(read_party(statement))
    return former
