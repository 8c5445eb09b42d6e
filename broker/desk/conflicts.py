"""The conflict list of an enquiry (R29): officers who must not see it, being in it, related to it, or accused in it.

Whoever is on it learns of the enquiry what he learns of one that does not exist: the register leaves him out of those
who work on it, and everything else follows from that. Each change of the list, and each try by somebody on it, is an
entry sealed to the hub's information-governance lead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from broker.desk import register
from broker.desk.deeds import Deeds
from broker.desk.enquiry import Conflicted, read_command
from broker.desk.shelf import Shelf
from broker.desk.told import ConflictChange, ConflictTold
from broker.desk.trust import Trust
from broker.node.post.office import Post
from broker.node.store.port import Transaction
from schemas.messages.model import FieldInvalid
from schemas.messages.party import PartyUnknown


@dataclass(slots=True)
class Conflicts:
    """Who must not see which enquiry."""

    trust: Trust
    post: Post
    shelf: Shelf
    deeds: Deeds = field(repr=False)

    async def listed(self, officer: str, enquiry: str) -> dict[str, Any]:
        """Who is on an enquiry's list; for those who work on it.

        Raises:
            EnquiryUnknown.
        """

        def read(tx: Transaction) -> list[str]:
            self.shelf.row(tx, enquiry, officer)
            return conflicts_of(tx, enquiry)

        return {"enquiry": enquiry, "conflicts": await self.post.store.read(read)}

    async def add(self, officer: str, enquiry: str, body: bytes) -> dict[str, Any]:
        """Put an officer on the list: from this commit on there is no such enquiry for that officer.

        Raises:
            EnquiryUnknown.
            FieldInvalid: no officer of this hub, or nobody would be left who works on the enquiry.
        """
        named = read_command(Conflicted, body).officer
        check_officers(self.trust, [named], "officer")
        now = self.post.clock.now()

        def work(tx: Transaction) -> list[str]:
            row = self.shelf.row(tx, enquiry, officer)
            if row.officers <= {named}:
                raise FieldInvalid(
                    "field officer: nobody would be left who works on it; a colleague has to open it anew"
                )
            if add_conflict(tx, enquiry, named):
                self.record(tx, enquiry, named, officer, ConflictChange.ADDED, now)
            return conflicts_of(tx, enquiry)

        return {"enquiry": enquiry, "conflicts": await self.post.commit(work)}

    async def remove(self, officer: str, enquiry: str, body: bytes) -> dict[str, Any]:
        """Take an officer off the list who was put there wrongly.

        Raises:
            EnquiryUnknown.
            FieldInvalid: that officer is not on it.
        """
        named = read_command(Conflicted, body).officer
        now = self.post.clock.now()

        def work(tx: Transaction) -> list[str]:
            self.shelf.row(tx, enquiry, officer)
            if not remove_conflict(tx, enquiry, named):
                raise FieldInvalid("field officer names nobody on this enquiry's conflict list")
            self.record(tx, enquiry, named, officer, ConflictChange.REMOVED, now)
            return conflicts_of(tx, enquiry)

        return {"enquiry": enquiry, "conflicts": await self.post.commit(work)}

    async def tried(self, officer: str, target: str) -> None:
        """Enter that an officer on the list tried to reach the enquiry, by its id or that of a request of it.

        Run beside the refusal, which is the same, and as soon, as for an enquiry that does not exist.
        """
        now = self.post.clock.now()

        def work(tx: Transaction) -> None:
            asked = register.find_asked(tx, target)
            enquiry = target if asked is None else asked.enquiry
            if officer in conflicts_of(tx, enquiry):
                self.record(tx, enquiry, officer, officer, ConflictChange.TRIED, now)

        if await self.post.store.read(lambda tx: is_in_conflict(tx, officer)):
            await self.post.commit(work)

    def record(self, tx: Transaction, enquiry: str, officer: str, by: str, change: ConflictChange, now: int) -> None:
        """Enter a change of the list, or a try."""
        done = self.deeds.conflict(ConflictTold(enquiry=enquiry, officer=officer, by=by, change=change, at=now), now)
        register.add_deed(tx, done)
        self.post.outbox.put(tx, done.outgoing)


def check_officers(trust: Trust, officers: Iterable[str], where: str) -> None:
    """That all of them are officers of this hub.

    Raises:
        FieldInvalid: one is not.
    """
    for place, officer in enumerate(officers):
        try:
            trust.officer(officer)
        except PartyUnknown:
            named = where if where == "officer" else f"{where}.{place}"
            raise FieldInvalid(f"field {named} names no officer of this hub") from None


def conflicts_of(tx: Transaction, enquiry: str) -> list[str]:
    """Who is on an enquiry's list."""
    rows = tx.execute("SELECT officer FROM enquiry_conflict WHERE enquiry = ? ORDER BY officer", (enquiry,))
    return [one for (one,) in rows]


def is_in_conflict(tx: Transaction, officer: str) -> bool:
    """Whether an officer is on any list."""
    return tx.execute("SELECT 1 FROM enquiry_conflict WHERE officer = ?", (officer,)).fetchone() is not None


def add_conflict(tx: Transaction, enquiry: str, officer: str) -> bool:
    """Put an officer on an enquiry's list; False if he was there."""
    added = tx.execute(
        "INSERT INTO enquiry_conflict (enquiry, officer) VALUES (?, ?) ON CONFLICT DO NOTHING", (enquiry, officer)
    )
    return added.rowcount == 1


def remove_conflict(tx: Transaction, enquiry: str, officer: str) -> bool:
    """Take an officer off an enquiry's list; False if he was not there."""
    removed = tx.execute("DELETE FROM enquiry_conflict WHERE enquiry = ? AND officer = ?", (enquiry, officer))
    return removed.rowcount == 1
