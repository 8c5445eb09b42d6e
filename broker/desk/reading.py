"""What officers see of an enquiry: its progress, and, as an entry of its own each time, its content.

The deed `consulted` is committed before anything is shown: an officer who sees content has been recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from broker.desk import register
from broker.desk.casework import enquiry_shown
from broker.desk.chronology import Cell, Line, Source, compose
from broker.desk.deeds import Deeds
from broker.desk.enquiry import Enquiry
from broker.desk.progress import Progress
from broker.desk.questions import exchange_shown
from broker.desk.register import EnquiryRow, ExchangeRow
from broker.desk.shelf import Shelf
from broker.desk.told import ConsultedTold
from broker.node.post.office import Post
from broker.node.store.port import Transaction


@dataclass(slots=True)
class Reading:
    """Progress and answers of enquiries."""

    post: Post
    shelf: Shelf
    deeds: Deeds = field(repr=False)

    async def progress(self, officer: str, enquiry: str) -> dict[str, Any]:
        """An enquiry and its requests, without content.

        Raises:
            EnquiryUnknown, EnquiryNotOpen.
        """
        row, exchanges = await self.post.store.read(lambda tx: self._rows(tx, enquiry, officer))
        return {**enquiry_shown(self.shelf.open(row)), "requests": [exchange_shown(one) for one in exchanges]}

    async def answers(self, officer: str, enquiry: str) -> dict[str, Any]:
        """Who an enquiry is about and what was answered: one chronology and the table of outcomes.

        Raises:
            EnquiryUnknown, EnquiryNotOpen.
        """
        row, exchanges = await self.post.store.read(lambda tx: self._rows(tx, enquiry, officer))
        found = self.shelf.open(row)
        sources = [self._source(found, one) for one in exchanges if one.standing.progress is not Progress.PREPARED]
        now = self.post.clock.now()
        seen = [source.exchange for source in sources if source.answer is not None]
        told = ConsultedTold(enquiry=enquiry, officer=officer, at=now, exchanges=seen)
        done = self.deeds.consulted(told, now)

        def work(tx: Transaction) -> None:
            self.shelf.row(tx, enquiry, officer)
            register.add_deed(tx, done)
            self.post.outbox.put(tx, done.outgoing)

        await self.post.commit(work)
        # A crash before this line: nothing was shown. After it: the entry is on its way, whatever becomes of us.
        return _answers_shown(found, sources)

    def _rows(self, tx: Transaction, enquiry: str, officer: str) -> tuple[EnquiryRow, list[ExchangeRow]]:
        return self.shelf.row(tx, enquiry, officer), register.exchanges_of(tx, enquiry)

    def _source(self, enquiry: Enquiry, row: ExchangeRow) -> Source:
        local = self.shelf.references(row)
        return Source(
            exchange=row.asked.exchange,
            agency=row.asked.agency,
            progress=row.standing.progress,
            is_late=row.standing.is_late,
            categories=row.asked.request().categories,
            subjects={reference: enquiry.subject(own) for reference, own in local.items()},
            scope=None if row.asked.grant is None else row.asked.granted().scope,
            answer=self.shelf.answer(row),
        )


def _answers_shown(enquiry: Enquiry, sources: list[Source]) -> dict[str, Any]:
    chronology = compose(sources)
    decision = enquiry.decision
    return {
        **enquiry_shown(enquiry),
        "subjects": [one.model_dump(mode="json", exclude_none=True) for one in enquiry.content.subjects],
        "reason": enquiry.content.reason,
        "lawful_bases": [basis.value for basis in enquiry.content.lawful_bases],
        "consent": enquiry.content.consent.value,
        "allocated": enquiry.content.allocated is True,
        "decision": None if decision is None else decision.model_dump(mode="json"),
        "answers": [
            {
                "exchange": one.exchange,
                "agency": one.agency,
                "late": one.is_late,
                "handling": one.answer.handling,
                "part_quarantined": bool(one.answer.cuts),
            }
            for one in sources
            if one.answer is not None
        ],
        "chronology": [_line_shown(line) for line in chronology.lines],
        "outcomes": [_cell_shown(cell) for cell in chronology.cells],
        "note": chronology.note,
    }


def _line_shown(line: Line) -> dict[str, Any]:
    return {
        "on": line.on,
        "agency": line.agency,
        "exchange": line.exchange,
        "subject": line.subject,
        "name": line.name,
        "category": line.category.value,
        "mode": line.mode.value,
        "rule": line.rule,
        "text": line.text,
        "fact": dict(line.fact),
        "handling": line.handling,
        "late": line.is_late,
        "possible": line.is_possible,
        "part_quarantined": line.is_part_quarantined,
    }


def _cell_shown(cell: Cell) -> dict[str, Any]:
    return {
        "agency": cell.agency,
        "exchange": cell.exchange,
        "subject": cell.subject,
        "name": cell.name,
        "category": cell.category.value,
        "mode": cell.mode.value,
        "state": cell.state.value,
        "says": cell.says,
        "rule": cell.rule,
        "reason": cell.reason,
        "written": cell.written,
        "confirm": list(cell.confirm),
        "late": cell.is_late,
        "part_quarantined": cell.is_part_quarantined,
    }
