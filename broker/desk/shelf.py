"""Enquiries on the shelf: read from the store, opened with their keys, for the officers who work on them only."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.desk import register
from broker.desk.enquiry import Content, Decided, Enquiry, EnquiryNotOpen, EnquiryState
from broker.desk.kept import LIMIT_BYTES, Kept, KeptAnswer, References
from broker.desk.register import EnquiryRow, EnquiryUnknown, ExchangeRow
from broker.desk.vault import Vault
from broker.node.store.port import Transaction
from schemas.messages.model import read
from schemas.messages.request import MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Shelf:
    """Opens rows. Its methods run wherever their caller is; those with a transaction, in a query or a work."""

    vault: Vault = field(repr=False)

    def row(self, tx: Transaction, enquiry: str, officer: str) -> EnquiryRow:
        """The row of an enquiry that this officer works on.

        Raises:
            EnquiryUnknown: there is none, or it is not this officer's; which of them is not said.
        """
        row = register.get_enquiry(tx, enquiry)
        if officer not in row.officers:
            raise EnquiryUnknown("no such enquiry of yours")
        return row

    def exchange(self, tx: Transaction, exchange: str, officer: str) -> ExchangeRow:
        """The row of an exchange of an enquiry that this officer works on.

        Raises:
            EnquiryUnknown: as `row`.
        """
        found = register.find_exchange(tx, exchange)
        if found is None or officer not in register.get_enquiry(tx, found.asked.enquiry).officers:
            raise EnquiryUnknown("no such request of yours")
        return found

    def open(self, row: EnquiryRow) -> Enquiry:
        """The enquiry of a row.

        Raises:
            EnquiryNotOpen: it was erased.
            SealBroken: its content does not open.
        """
        if row.sealed_content is None or row.state in (EnquiryState.ERASING, EnquiryState.ERASED):
            raise EnquiryNotOpen("the enquiry was erased")
        content = read(
            Content,
            self.vault.open(row.id, Kept.CONTENT, row.id, row.sealed_content),
            limit_bytes=MAX_BODY_BYTES,
        )
        decision = None
        if row.sealed_decision is not None:
            decision = read(Decided, self.vault.open(row.id, Kept.DECISION, row.id, row.sealed_decision))
        return Enquiry(
            id=row.id,
            state=row.state,
            stage=row.stage,
            rag=row.rag,
            purpose=row.purpose,
            received_at=row.received_at,
            opened_at=row.opened_at,
            opened_by=row.opened_by,
            officers=row.officers,
            reply_key=row.reply_key,
            content=content,
            decision=decision,
        )

    def references(self, row: ExchangeRow) -> dict[str, str]:
        """An exchange's subject references, and the enquiry's own that each stands for."""
        if row.sealed_references is None:
            return {}
        asked = row.asked
        return read(
            References, self.vault.open(asked.enquiry, Kept.REFERENCES, asked.exchange, row.sealed_references)
        ).local

    def answer(self, row: ExchangeRow) -> KeptAnswer | None:
        """What of an exchange's answer may be shown; None before there is one."""
        if row.sealed_outcomes is None:
            return None
        asked = row.asked
        return read(
            KeptAnswer,
            self.vault.open(asked.enquiry, Kept.OUTCOMES, asked.exchange, row.sealed_outcomes),
            limit_bytes=LIMIT_BYTES,
        )
