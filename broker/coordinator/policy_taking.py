"""Taking a version of the hub's policy that its IG lead has signed: checked, entered, kept and sent in one commit.

The order of writes is the argument. Statement, files, entry and what every agency is sent are one transaction; the
version decides from its instant on, by what was kept. A crash before the commit: nothing happened, and whoever
published sees no such version. A crash after it: the start takes up what is kept, and the outbox is sent.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from broker.coordinator import policy_records as records
from broker.coordinator.policy_sending import send_to_all
from broker.coordinator.room import Room
from broker.node.clock import DAY_MS, PERMITTED_SKEW_MS
from broker.node.store.port import AfterSeal, Seal, Transaction
from broker.policy.pack import Pack, PackFiles
from broker.policy.packs import load
from schemas.failures import Rejected
from schemas.messages.entry import PolicyEntry, nonce
from schemas.messages.policy import (
    PolicyFilesDiffer,
    PolicySignerRefused,
    PolicyStatement,
    PolicyVersion,
    check_files,
    check_follows,
    read_policy,
    read_policy_files,
    verify_policy,
)

_log = structlog.get_logger()
FURTHEST_AHEAD_MS: Final = 90 * DAY_MS
"""No version begins before the one it follows on: a slip of the year must not close the door for that year."""


class PolicyUntimely(Rejected):
    """A policy version in force before it came or more than 90 days ahead, or one that is dated in the future."""

    code = "policy_untimely"


async def take_policy(room: Room, frame: bytes, files: bytes) -> PolicyVersion:
    """Take a version, or say why not; the version in force stays in force either way until the new one begins.

    Args:
        frame: the statement, signed by an officer who is the hub's IG lead.
        files: the files as they travel (SPEC 11.2).

    Raises:
        Rejected: signature, role, number, previous statement, instant or files do not hold.
        PolicyInvalid: the files are no pack that holds; the text says file, line and reason.
    """
    now = room.post.clock.now()
    version = verify_policy(frame, room.directory, seen_at=now)
    statement = version.statement
    if not room.is_admitted(room.directory.party(statement.officer)):
        raise PolicySignerRefused("the officer who signed it is not admitted")
    read = read_policy_files(files)
    check_files(version, read)
    if statement.made_at > now + PERMITTED_SKEW_MS or statement.valid_from < now - PERMITTED_SKEW_MS:
        raise PolicyUntimely("made in the future, or in force from an instant that is past; publish it again")
    if statement.valid_from > now + FURTHEST_AHEAD_MS:
        raise PolicyUntimely("in force from an instant more than 90 days ahead; is that the year that was meant?")
    pack = await asyncio.to_thread(load, PackFiles.of(read.by_name))
    _check_pack(statement, pack)
    leaf = PolicyEntry(
        log=room.log.origin,
        hub=room.hub,
        t=now,
        n=nonce(),
        number=statement.number,
        policy_digest=statement.policy_digest,
        statement_digest=version.digest,
        valid_from=statement.valid_from,
    ).encode()

    def work(tx: Transaction) -> AfterSeal[int]:
        before = records.newest(tx)
        check_follows(None if before is None else read_policy(before.frame), version)
        index = room.log.append(tx, leaf)
        kept = records.Kept(statement.number, frame, statement.policy_digest, index, now)
        records.add_version(tx, kept, files)

        def build(tx: Transaction, seal: Seal) -> int:
            send_to_all(room, tx, seal, statement.number, now)
            return index

        return AfterSeal(build)

    index: int = await room.post.commit(work)
    room.policies.add(version, pack, now)
    _log.info("policy_version_taken", version=str(statement.number), digest=statement.policy_digest, index=index)
    return version


def _check_pack(statement: PolicyStatement, pack: Pack) -> None:
    said = (statement.policy_digest, statement.nation, statement.pack, statement.pack_version)
    if said != (pack.digest, pack.nation, pack.name, pack.version):
        raise PolicyFilesDiffer("the statement says another name, nation or number than the pack")
