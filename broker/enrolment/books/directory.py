"""The hub's directory: made anew when somebody's line changes or a day has passed, given out once it is in the log.

A version waits for the receipt of its `key` entry: what no log holds, nobody is sent. Refuses to know who is admitted
(`broker.enrolment.books.register`) and what a directory looks like (`schemas.messages.directory`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

import structlog

from broker.enrolment.books import records
from broker.enrolment.books.deeds import Deeds
from broker.enrolment.books.records import Issued
from broker.enrolment.books.register import Register
from broker.node.clock import DAY_MS
from broker.node.post.office import Post
from broker.node.post.writing import Outgoing
from broker.node.ring import Hand
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack
from schemas.messages.directory import DirectoryLines, DirectoryStatement, state_directory
from schemas.messages.model import read
from schemas.messages.party import Party, PartyKind
from schemas.messages.transport import MAX_STATEMENTS, DirectoryIssue

_log = structlog.get_logger()

REISSUE_MS: Final = DAY_MS
"""A new one every day, so that whoever was told nothing for a day knows that something is wrong."""
LIFE_MS: Final = 14 * DAY_MS
"""An agency goes on for a fortnight without hearing from admission; then it cannot know what was revoked."""
_LINES_LIMIT: Final = 1024 * 1024


def issue(
    tx: Transaction, register: Register, hand: Hand, deeds: Deeds, now: int, *, authorities: str
) -> Outgoing | None:
    """Make the next directory, if anything changed since the newest or it is a day old.

    Args:
        authorities: the digest of the bus's authorities.

    Returns:
        The message with its entry, to be put in the outbox in the same transaction.
    """
    newest = records.newest_directory(tx)
    lines = register.lines()
    if (
        newest is not None
        and DirectoryLines(lines=lines).encode() == newest.lines
        and read(DirectoryStatement, unpack(newest.frame).header).authorities == authorities
        and now < newest.issued_at + REISSUE_MS
    ):
        return None
    version = 1 if newest is None else newest.version + 1
    frame, listed = state_directory(
        register.admission.statement.hub,
        lines,
        version=version,
        previous=None if newest is None else newest.digest,
        issued_at=now,
        expires_at=now + LIFE_MS,
        key=hand.signing(KeyPurpose.DIRECTORY),
        authorities=authorities,
    )
    digest = unpack(frame).digest
    outgoing = deeds.directory(version, digest, now)
    changed = _changed(newest, register)
    issued = Issued(version, frame, listed, digest, outgoing.message_id, changed, now, now + LIFE_MS)
    records.add_directory(tx, issued)
    return outgoing


def _changed(newest: Issued | None, register: Register) -> tuple[str, ...]:
    if newest is None:
        return ()
    before = {line.party: line for line in read(DirectoryLines, newest.lines, limit_bytes=_LINES_LIMIT).lines}
    return tuple(line.party for line in register.lines() if before.get(line.party) != line)


def message_of(
    post: Post, register: Register, issued: Issued, receiver: Party, wanted: Collection[str] = ()
) -> Outgoing:
    """A directory as it is sent to a party, with statements of those it is about or that were asked for.

    An agency is sent statements of the hub's own parties only: it pins nobody else, and has nothing to do with them.
    Admission's own newest one comes first where the directory does not name it yet: without it nobody could read what
    admission signs, the entry among it by which the next directory is given out.
    """
    assert issued.receipt is not None
    me = register.admission
    own = () if me.digest.encode("ascii") in issued.lines else (me.id,)
    names = list(dict.fromkeys((*own, *(wanted or issued.changed))))
    hub = {party.id: party for party in register.hub.values()}
    known = hub if receiver.statement.party_kind is PartyKind.AGENT else {**hub, **register.agencies}
    frames = [known[name].frame for name in names if name in known and name != receiver.id][:MAX_STATEMENTS]
    parts = (issued.frame, issued.lines, issued.receipt, *frames)
    return post.passing(DirectoryIssue, receiver, parts, version=issued.version)


class Giver:
    """Gives the newest directory to everybody who is connected; whoever is not asks for it when it is back."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._wake = asyncio.Event()
        self._newest: tuple[Register, Issued] | None = None

    def give(self, register: Register, issued: Issued) -> None:
        """Give this one from now on."""
        self._newest = (register, issued)
        self._wake.set()

    async def run(self) -> None:
        """Give directories for ever: the hub's own parties first, and always the newest there is."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            assert self._newest is not None
            register, issued = self._newest
            me = register.admission.id
            receivers = [party for party in register.directory.parties.values() if party.id != me]
            for party in receivers:
                await self._post.send(message_of(self._post, register, issued, party))
                if self._wake.is_set():
                    break  # a newer one: whoever has had this one is given that one too
            else:
                _log.info("directory_given_out", count=len(receivers))
