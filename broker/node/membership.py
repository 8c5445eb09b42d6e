"""What every node does with the hub's directory: ask for it, check it, take newer statements from it, keep it for good.

A statement is taken as soon as a directory that admission signed names it: the pinned root signed it, and without it
nothing of that party might be readable any more. The directory itself counts only once its entry is proven to be in the
hub's log. The order of writes: statements into `parties/`, then the directory into the store; a crash between the two
leaves newer statements under an older directory, and the next answer of admission brings the rest.

Refuses to know what is done while no directory is in force: whoever needs one asks `check_in_force`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from broker.node import directory_records as records
from broker.node.home import Home
from broker.node.post.office import Post
from broker.node.post.port import Received, Settlement
from broker.node.renewals import Renewals
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack
from schemas.failures import Away, Failure, Rejected
from schemas.ledger.failures import NoteNotSigned
from schemas.messages.directory import (
    MAX_LINES_BYTES,
    DirectoryLines,
    DirectoryMalformed,
    DirectoryStatement,
    HubDirectory,
    Standing,
    announced,
    compare,
    is_logged,
    own_standing,
    read_directory,
    take_statement,
)
from schemas.messages.entry import KeyEntry, read_entry_as, verify_deed
from schemas.messages.model import read
from schemas.messages.party import Directory, KeyUnknown, Party, PartyKind, read_party_frame
from schemas.messages.transport import MAX_STATEMENTS, Acknowledgement, DirectoryIssue, DirectoryQuery

_log = structlog.get_logger()
_MS: Final = timedelta(milliseconds=1)

ASK_EVERY_MS: Final = timedelta(hours=1) // _MS
"""How often a party asks unprompted: admission tells everybody of each new directory; this only covers a lost one."""
ASK_AGAIN_MS: Final = timedelta(seconds=2) // _MS
"""How soon it asks again for what it lacks."""
ASKED_AT_ONCE: Final = 8
MOST_LACKING: Final = 1024
_PARTS: Final = 3

Prove: TypeAlias = Callable[[bytes, int], Awaitable[bytes]]
"""Gives the leaf of a receipt (and the time it came in) that the hub's log is proven to hold."""


class DirectoryAway(Away):
    """No directory of the hub is in force here: what was revoked or suspended since cannot be seen."""

    code = "directory_away"


@dataclass(slots=True)
class Membership:
    """The directory that a party holds. Made by the program; `take_up` is called before anything comes in."""

    home: Home
    post: Post
    prove: Prove = field(repr=False)
    renewals: Renewals
    changed: list[Callable[[], None]] = field(default_factory=list)
    """Called on the event loop whenever statements or the directory were taken."""
    held: HubDirectory | None = None
    confirmations: int = 0
    """How often admission was heard of the newest directory since the start."""
    _lacking: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Messages that failed for an unknown key, and how many confirmations there had been then."""
    _own: set[str] = field(default_factory=set)
    _window_at: int = 0
    _asked: int = 0
    _asked_for: tuple[str, ...] = ()
    _epoch: str = ""
    _asks_later: bool = False

    async def take_up(self) -> None:
        """Take up what is held from before, and remember the own statement."""

        def work(tx: Transaction) -> tuple[tuple[bytes, bytes] | None, set[str]]:
            records.note_own(tx, self.post.me)
            return records.newest(tx), records.own_digests(tx)

        kept, self._own = await self.post.store.write(work)
        self.held = None if kept is None else as_kept(*kept)

    @property
    def admission(self) -> Party | None:
        """The hub's admission, if it is pinned."""
        found = self.post.directory.of_kind(PartyKind.ADMISSION)
        return found[0] if len(found) == 1 else None

    def check_in_force(self, now: int) -> None:
        """That a directory is held and has not expired.

        Raises:
            DirectoryAway: it is not; what needs one waits.
        """
        if self.admission is None:
            return
        if self.held is None:
            raise DirectoryAway("no directory of the hub has come yet; is broker.enrolment running, and the bus there?")
        if not self.held.in_force(now):
            ended = self.held.statement.expires_at
            raise DirectoryAway(
                f"the hub's directory {self.held.version} expired at {ended} (milliseconds UTC) and no newer one came;"
                " the hub runs: broker run admission"
            )

    def names_newest(self) -> bool:
        """Whether the directory held names this party's newest statement; true where no admission is pinned."""
        if self.admission is None or self.post.me.statement.party_kind is PartyKind.ADMISSION:
            return True
        line = None if self.held is None else self.held.lines.get(self.post.me.id)
        return line is not None and line.statement_digest == self.post.me.digest

    def standing_of(self, party: str) -> Standing | None:
        """How a party stands by the directory held; None if it does not list the party, or there is none."""
        line = None if self.held is None else self.held.lines.get(party)
        return None if line is None else line.standing

    def note_own(self, digest: str) -> None:
        """The party has made another statement of itself; it is in the store already."""
        self._own.add(digest)

    # Asking.

    async def ask(self) -> None:
        """Ask admission for the newest directory, and for statements that are missing."""
        admission = self.admission
        if admission is None:
            return
        version = 0 if self.held is None else self.held.version
        self._asked_for = self._wanted()
        wanted = list(self._asked_for[:MAX_STATEMENTS])
        trusts = self.renewals.trusts()
        await self.post.send(
            self.post.passing(DirectoryQuery, admission, version=version, wanted=wanted, trusts=trusts)
        )

    async def ask_for_ever(self) -> None:
        """Ask now and then; never returns."""
        while True:
            await self.post.clock.sleep_until(self.post.clock.now() + ASK_EVERY_MS)
            await self.ask()

    def may_lack(self, received: Received, failure: Failure) -> bool:
        """Whether a message may have failed for a key whose statement has not come yet; then it is asked for.

        True until admission was heard after it failed first: what fails then as well is wrong for good.
        """
        if self.admission is None or not _names_unknown_key(failure):
            return False
        if self._lacking.setdefault(received.digest, self.confirmations) < self.confirmations:
            del self._lacking[received.digest]
            return False
        while len(self._lacking) > MOST_LACKING:
            self._lacking.popitem(last=False)
        self.ask_soon()
        return True

    def ask_soon(self) -> None:
        """Ask, unless that was just done so often that whoever has it asked for may be out to have it asked for."""
        now = self.post.clock.now()
        if not 0 <= now - self._window_at < ASK_AGAIN_MS:
            self._window_at, self._asked = now, 0
        if self._asked < ASKED_AT_ONCE:
            self._asked += 1
            self.post.spawn(self.ask())

    def _wanted(self) -> tuple[str, ...]:
        return () if self.held is None else compare(self.held, self._comparable(self.held)).wanted

    async def renewed(self, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Take what admission gave for a renewal.

        Raises: as `Renewals.taken`.
        """
        return await self.renewals.taken(acknowledgement, parts)

    # Taking.

    async def take(self, received: Received) -> None:
        """Take a directory and the statements it brings.

        Raises:
            Rejected: it fails a check of SPEC 10.1, or its entry does not hold.
            Away: the log has to be followed further before its entry can be believed; it comes again.
            DirectoryLies: somebody swapped this party's keys; the node halts.
        """
        if not isinstance(received.outer, DirectoryIssue) or len(received.parts) < _PARTS:
            raise DirectoryMalformed("not frame, lines and receipt")
        if received.outer.epoch != self._epoch:
            # Perhaps its store was restored: then it waits to hear which version is held here.
            self._epoch = received.outer.epoch
            self.ask_soon()
        (frame, lines, receipt), statements = received.parts[:_PARTS], received.parts[_PARTS:]
        # Before the directory: that may be signed by a key which is dead by this very statement, and so be refused.
        self._take_its_own(received.sender, statements)
        directory = read_directory(frame, lines, pinned=self.post.directory, held=self.held, now=received.at)
        own_standing(directory, self.post.me, self._own)
        self._take_statements(directory, statements)
        if self.held is None or directory.digest != self.held.digest:
            await self._check_logged(directory, await self._proven(receipt, received.at))
            await self._keep(directory)
        self.confirmations += 1
        wanted = self._wanted()
        if wanted and wanted != self._asked_for:
            await self.ask()  # more has changed than one message holds, or one was missed
        self._tell()

    async def _proven(self, receipt: bytes, at: int) -> bytes:
        try:
            return await self.prove(receipt, at)
        except Away:
            # What the log is asked for meanwhile may be lost like any answer, and nobody repeats a directory.
            if not self._asks_later:
                self._asks_later = True
                self.post.spawn(self._ask_later())
            raise

    async def _ask_later(self) -> None:
        await self.post.clock.sleep_until(self.post.clock.now() + ASK_AGAIN_MS)
        self._asks_later = False
        await self.ask()

    def _take_its_own(self, admission: Party, statements: tuple[bytes, ...]) -> None:
        """Take admission's own newer statement, if it came first: it needs no directory (SPEC 10.1).

        The next directory is given out once what admission signs can be read; the last one may be all there is to send.
        """
        if not statements or read_party_frame(statements[0]).id != admission.id:
            return
        party, held = read_party_frame(statements[0]), self.post.directory.party(admission.id)
        if party.statement.serial > held.statement.serial:
            self._renew(party, announced(self.post.directory, admission.id, statements[0]))
            self._tell()

    def _take_statements(self, directory: HubDirectory, statements: tuple[bytes, ...]) -> None:
        taken = False
        for frame in statements:
            party = read_party_frame(frame)
            held = self.post.directory.parties.get(party.id)
            if held is None or party.id == self.post.me.id or party.statement.serial <= held.statement.serial:
                continue  # not pinned here, or nothing new: a directory introduces nobody
            try:
                after = take_statement(directory, self.post.directory, frame)
            except Rejected as failure:
                _log.error("statement_refused", party=party.id, code=failure.code)
                continue
            self._renew(party, after)
            taken = True
        if taken:
            self._tell()

    def _renew(self, party: Party, after: Directory) -> None:
        self.home.renew(party)
        # A crash before this line changes nothing: the next start reads what was written.
        self.post.directory = after
        _log.info("statement_taken", party=party.id)

    async def _check_logged(self, directory: HubDirectory, leaf: bytes) -> None:
        entry = read_entry_as(KeyEntry, leaf)
        pinned = self.post.directory
        admission = pinned.only(PartyKind.ADMISSION)
        if entry.by != admission.id:
            raise DirectoryMalformed("the entry is not admission's")
        verify_deed(KeyEntry, leaf, pinned.key(admission.id, KeyPurpose.DEED, entry.deed_key, entry.t))
        is_logged(directory, entry)

    async def _keep(self, directory: HubDirectory) -> None:
        found = compare(directory, self._comparable(directory))
        for party in found.rerooted:
            _log.critical("directory_names_another_root", party=party)
        for party in found.gone:
            _log.warning("party_not_in_directory", party=party)
        mine = directory.lines.get(self.post.me.id)
        if mine is None or mine.standing is not Standing.ADMITTED:
            _log.error("not_admitted_by_directory", reason="not listed" if mine is None else "suspended by admission")
        version, frame, lines = directory.version, directory.frame, directory.raw_lines
        if await self.post.commit(lambda tx: records.keep(tx, version, frame, lines)):
            self.held = directory
            _log.info("directory_taken", version=str(version))

    def _comparable(self, directory: HubDirectory) -> Directory:
        """The others that were pinned, less those whose newer statement may come before a directory names it.

        They are officers, by hand, and admission, by itself.
        """
        others = self.post.directory.without(self.post.me.id)
        for party in (*others.of_kind(PartyKind.OFFICER), *others.of_kind(PartyKind.ADMISSION)):
            line = directory.lines.get(party.id)
            if line is not None and line.serial < party.statement.serial:
                others = others.without(party.id)
        return others

    def _tell(self) -> None:
        for told in self.changed:
            told()
        self.post.try_again()


def _names_unknown_key(failure: Failure) -> bool:
    codes = (KeyUnknown.code, NoteNotSigned.code)
    return failure.code in codes or failure.detail in codes


def as_kept(frame: bytes, lines: bytes) -> HubDirectory:
    """The directory as it was kept: it was checked when it came, and may have expired since."""
    envelope = unpack(frame)
    statement = read(DirectoryStatement, envelope.header)
    listed = read(DirectoryLines, lines, limit_bytes=MAX_LINES_BYTES).lines
    return HubDirectory(statement, {line.party: line for line in listed}, frame, lines, envelope.digest)
