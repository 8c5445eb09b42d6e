"""The hub's policy as this agency knows it: versions that the hub's IG lead signed, each proven to be in the hub's log.

A grant counts only if it was made under a version that is held and was in force then. A version that is not here yet
makes the request wait, and is asked for; one that was not in force makes the grant void. Refuses to know what a
version's rules say: this agency decides by its own (`gatekeeper`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.checks import Checker, Delivered
from agents.runtime.hub_log.mirror import Extension
from agents.runtime.hub_policy import records
from agents.runtime.own_log import OwnLog
from broker.node.log_keys import Proof
from broker.node.metrics import AgentMetrics
from broker.node.post.office import Post
from broker.node.post.port import Received, Reply, Work
from broker.node.store import Transaction
from schemas.failures import Away, Rejected
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import PolicyEntry, read_entry_as
from schemas.messages.glass import check_glass_lasts, glass_terms
from schemas.messages.policy import (
    PolicyDoubled,
    PolicySignerUnknown,
    PolicyUnknown,
    PolicyVersion,
    check_files,
    check_follows,
    check_granted,
    read_policy,
    read_policy_files,
    verify_policy,
)

_log = structlog.get_logger()
_PARTS: Final = 4
T = TypeVar("T", int, str)
MOST_AWAITED: Final = 64
"""Names kept of what is waited for; they are for people to read."""


class PolicySignerAwaited(Away):
    """The officer who signed a version of the hub's policy is not pinned here yet: agent pin FILE."""

    code = "policy_signer_awaited"


class PolicyNotLogged(Rejected):
    """A version of the hub's policy without the proof that the hub's log has exactly this statement."""

    code = "policy_not_logged"


@dataclass(frozen=True, slots=True)
class Issued:
    """A version as it came: signed, proven, with its files; not yet held."""

    version: PolicyVersion
    files: bytes = field(repr=False)
    proof: Proof[VerifiedReceipt]
    extension: Extension = field(repr=False)


@dataclass(slots=True)
class HubPolicies:
    """Made once by the program."""

    post: Post
    checker: Checker
    own_log: OwnLog
    metrics: AgentMetrics
    awaited_signers: set[str] = field(default_factory=set)
    """Officers who signed versions that came, and who are not pinned here."""
    _named: set[str] = field(default_factory=set)
    """Digests by which grants that wait were made."""
    _stated: set[int] = field(default_factory=set)
    """Numbers that requests which wait state."""

    def stated_awaited(self, held: Mapping[int, records.Held]) -> list[int]:
        """The numbers of versions that desk and officers of the hub state, and that have not come."""
        return sorted(self._stated - held.keys())

    def awaited(self, held: Mapping[int, records.Held]) -> list[str]:
        """The digests of versions that requests wait for: not held, or the one that followed is missing."""
        if len(held) < max(held, default=0) - min(held, default=1) + 1:
            return sorted(self._named)
        return sorted(self._named - {one.version.statement.policy_digest for one in held.values()})

    def open(self, received: Received) -> Issued:
        """Open a version, or say which check of SPEC 11.3 it failed.

        Raises:
            Rejected: the failure names the check.
            PolicySignerAwaited: nobody can tell here yet whether its officer signed it.
        """
        if len(received.parts) != _PARTS:
            raise PolicyNotLogged("not the four parts of a policy version")
        frame, files, receipt, extension = received.parts
        proof = self.checker.verified(receipt, received.at)
        entry, origin = read_entry_as(PolicyEntry, proof.proven.leaf), proof.proven.head.origin
        claimed = read_policy(frame)
        stated = claimed.statement
        said = (self.checker.directory.hub, origin, stated.number, stated.policy_digest, stated.valid_from)
        if (entry.hub, entry.log, entry.number, entry.policy_digest, entry.valid_from) != said:
            raise PolicyNotLogged("the entry is of another hub, log or version")
        if not hmac.compare_digest(entry.statement_digest, claimed.digest):
            raise PolicyNotLogged("the entry names another statement")
        try:
            version = verify_policy(frame, self.checker.directory, seen_at=entry.t)
        except PolicySignerUnknown:
            if len(self.awaited_signers) < MOST_AWAITED:
                self.awaited_signers.add(stated.officer)
            _log.warning("policy_signer_not_pinned", party=stated.officer, version=str(stated.number))
            raise PolicySignerAwaited("the officer who signed it is not pinned: agent pin FILE") from None
        check_files(version, read_policy_files(files))
        self.awaited_signers.discard(stated.officer)
        return Issued(version, files, proof, mirror.read_extension(extension))

    def work(self, issued: Issued, extend: Callable[[Transaction], None], now: int) -> Work:
        """What committing a version does. `extend` takes the hub's log as far as the proof reaches."""

        def work(tx: Transaction) -> Reply:
            extend(tx)
            self.take(tx, issued, now)
            return Reply()

        return work

    def take(self, tx: Transaction, issued: Issued, now: int) -> None:
        """Hold a version; one that is held already changes nothing. Its neighbours must fit, whichever came first.

        Raises:
            PolicyDoubled: another statement is held under its number.
            PolicyOutOfOrder: it does not follow on the one before it, or the next does not follow on it.
        """
        version, receipt = issued.version, issued.proof.proven
        held, number = records.held(tx), issued.version.statement.number
        if number in held:
            if held[number].version.digest != version.digest:
                _log.critical("policy_version_doubled", version=str(number))
                raise PolicyDoubled("another statement is held under that number: ring the hub's IG lead")
            return
        if number - 1 in held or number == 1:
            check_follows(held[number - 1].version if number > 1 else None, version)
        if number + 1 in held:
            check_follows(version, held[number + 1].version)
        mirror.take_entry(tx, receipt.index, receipt.leaf, type_="policy", exchange=None, seq=None)
        self.own_log.received(tx, receipt.leaf, "policy", None, now)
        records.add(tx, version, issued.files, receipt.index, now)
        _log.info("policy_version_held", version=str(number), digest=version.statement.policy_digest)

    async def check(self, delivered: Delivered, hold: Callable[[Transaction], None], ask: Callable[[], None]) -> None:
        """That a grant was made under a version that is held and was in force then (SPEC 5.4, check 23).

        The instant is the grant's, but not before the request's own, which desk and officer signed: a coordinator
        cannot date a grant back to a version that is over. They signed too which version the desk holds to be in force:
        so it cannot keep that one from this agency and go on by an older one.

        Args:
            hold: holds the request's entry, so that nothing else waits while the request does.
            ask: has the hub send what this agency lacks.

        Raises:
            PolicyUnknown: no such version is held yet, the one that followed on it is missing, or the one stated is.
            PolicyNotInForce: it was not in force, or is older than the one stated.
            PolicyDoubled: another statement than the one stated is held under its number.
            GlassNotAgreed: the glass is broken for longer than that version's sharing agreements let it be.
        """
        header, grant = delivered.header, delivered.grant
        found, files = await self.post.store.read(
            lambda tx: (records.held(tx), records.files_of(tx, grant.policy_digest))
        )
        held = {number: one.version for number, one in found.items()}
        at = max(grant.not_before, header.asked_at)
        try:
            check_granted(held, policy_digest=grant.policy_digest, at=at, stated=header.policy)
        except PolicyDoubled:
            _log.critical("policy_version_doubled", exchange=header.exchange)
            raise
        except PolicyUnknown:
            if header.policy is not None and header.policy.number not in held:
                _remember(self._stated, header.policy.number)
            else:
                _remember(self._named, grant.policy_digest)
            _log.warning("request_waits_for_policy", exchange=header.exchange, policy=grant.policy_digest)
            await self.post.commit(hold)
            ask()
            raise
        self._named.discard(grant.policy_digest)
        if header.break_glass is not None:
            agreed = None if files is None else glass_terms(read_policy_files(files).by_name)
            check_glass_lasts(header.break_glass.until - header.asked_at, agreed)


def _remember(awaited: set[T], one: T) -> None:
    if len(awaited) < MOST_AWAITED:
        awaited.add(one)
