"""The generic checks of every message, in the order of SPEC 4.3. Bytes in, a `Received` or a named failure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broker.node.clock import DAY_MS, PERMITTED_SKEW_MS
from broker.node.post.port import Received
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import check_parts, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.directory import announced
from schemas.messages.model import KindUnexpected
from schemas.messages.party import Directory, KeyUnknown, Party
from schemas.messages.transport import Outer, own_statement_part, read_outer
from schemas.subjects import may_send, subjects_of


class WrongAddress(Rejected):
    """A message for another party or another hub."""

    code = "wrong_address"


class Expired(Rejected):
    """A message past its expiry, or one whose validity makes no sense."""

    code = "expired"


class FromTheFuture(Rejected):
    """A message dated later than the permitted clock skew allows."""

    code = "from_the_future"


class WrongSubject(Rejected):
    """A message that came in on a subject which is not its sender's."""

    code = "wrong_subject"


MAX_VALIDITY_MS: Final = 90 * DAY_MS
"""Ninety days: no message may ask its receiver to remember its id for longer."""


def check(subject: str, raw: bytes, *, me: Party, directory: Directory, now: int) -> Received:
    """Open an outer message, or say which check of SPEC 4.3 it failed.

    Raises:
        Rejected: the failure names the check.
    """
    envelope = unpack(raw)  # 1  one frame within the limits
    outer = read_outer(envelope.header)  # 2  canonical, of a known kind
    if outer.hub != directory.hub or outer.receiver != me.id:  # 3  for me
        raise WrongAddress("for another party or hub")
    if not outer.sent_at < outer.expires_at <= outer.sent_at + MAX_VALIDITY_MS or now >= outer.expires_at:
        raise Expired("past its expiry, or valid for too long")  # 4  in time; before anything is remembered
    if outer.sent_at > now + PERMITTED_SKEW_MS:
        raise FromTheFuture("dated later than the permitted clock skew")
    sender = directory.party(outer.sender)  # 5  from a pinned party, on that party's own subject
    try:
        expected = subjects_of(sender, me)
    except ValueError:
        raise WrongSubject("those two parties do not talk over the bus") from None
    if subject not in expected:
        raise WrongSubject("not its sender's subject")
    key = _message_key(outer, envelope.parts, directory, now)  # 6  signed by it
    verify_header(envelope, key, KeyPurpose.MESSAGE)
    check_parts(envelope, outer.parts)  # 7  with exactly the parts it names
    if not may_send(sender.statement.party_kind, me.statement.party_kind, outer):  # 8  of a kind that is its to send
        raise KindUnexpected("a party of that kind does not send such messages here")
    return Received(outer, envelope.parts, sender, envelope.digest, now, subject)


def check_but_for_time(subject: str, raw: bytes, *, me: Party, directory: Directory) -> Received:
    """The same for a message that is refused for its date, as if it were read when it was sent: whose clock is that?

    Raises:
        Rejected: it holds as little otherwise, and says nothing of anybody's clock.
    """
    sent_at = read_outer(unpack(raw).header).sent_at
    return check(subject, raw, me=me, directory=directory, now=sent_at)


def _message_key(outer: Outer, parts: Sequence[bytes], directory: Directory, now: int) -> PublicKey:
    """The sender's key, in force when the message was sent and not revoked by now."""
    find = outer.sender, KeyPurpose.MESSAGE, outer.message_key, outer.sent_at
    try:
        return directory.key(*find, seen_at=now)
    except KeyUnknown:
        # A sender whose message key died says so under its next one, in a message that carries its newer statement.
        number = own_statement_part(outer)
        if number is None or number >= len(parts):
            raise
        return announced(directory, outer.sender, parts[number]).key(*find, seen_at=now)
