"""An agency's answer, opened, or the check it failed (SPEC 6.3).

The numbered checks of a `released` message, in code order; each fails with its own code:

 1  three parts: answer envelope, receipt, addendum                                             parts_unexpected
 2  the exchange is the desk's own, was asked of the sender, and has a grant      exchange_unknown, not_the_one_asked
 3  the receipt is proven by the pinned log of the coordinator                    as schemas.ledger.receipt
 4  its entry is a release or a could-not-look                                    kind_unexpected, entry_foreign
 5  of this hub, log, agency and exchange, by that agency                         entry_foreign
 6  signed by the agency's pinned deed key, dated after the request                      signature_invalid, untimely
 7  the entry names the request's digest                                                        request_differs
 8  the entry names the grant's digest, as ruled                                                grant_differs
 9  the entry names the digest of this answer's header                                          answer_differs
10  the entry names the digest of this addendum                                                 addendum_differs
11  the answer is one header, one signature, one sealed body                                    answer_malformed
12  its header names this hub, agency, exchange, request and grant                              answer_foreign
13  and the reply key of this enquiry                                                           reply_key_differs
14  it is signed by the agency's pinned answer key, dated after the request              signature_invalid, untimely
15  its sealed body is the one the header names                                                 part_mismatch
16  the body opens with the enquiry's reply key, under exactly this header               seal_broken, padding_invalid
17  and is of this exchange                                                                     answer_foreign
18  the addendum opens with the body's key, the one it commits to                 key_not_committed, seal_broken
19  and tells of each outcome what the body holds, byte for byte                                told_differs
20  an entry could-not-look stands for an answer without facts                                  told_differs

What the body holds is then divided by the grant (`broker.desk.excess`); that rejects nothing. Nor does content that
opened under its header and cannot be read as an answer (an unknown category, a thousand facts too many): it is cut
whole, checks 17 to 20 having nothing to look at, and its sender learns no more than of any other cut. Pure: keys are
given.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from broker.desk.asked import Asked
from broker.desk.excess import Judged, judge, judge_unread
from broker.desk.ruling import EntryForeign, GrantDiffers, PartsUnexpected, RequestDiffers
from broker.desk.trust import Trust, check_dated
from schemas.crypto.failures import PaddingInvalid, SealBroken
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Envelope, check_parts, digest, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.addendum import open_addendum
from schemas.messages.answer import AnswerBody, AnswerHeader, ReleaseTold, open_answer, told_of
from schemas.messages.entry import CouldNotLookEntry, ReleaseEntry, read_entry, verify_deed
from schemas.messages.model import read
from schemas.vocabulary import Outcome

_PARTS: Final = 3


class ExchangeUnknown(Rejected):
    """An exchange this desk never asked for."""

    code = "exchange_unknown"


class NotTheOneAsked(Rejected):
    """An answer by another agency than the one that was asked."""

    code = "not_the_one_asked"


class AnswerDiffers(Rejected):
    """The log names another answer than the one that came."""

    code = "answer_differs"


class AddendumDiffers(Rejected):
    """The log names another addendum than the one that came."""

    code = "addendum_differs"


class AnswerMalformed(Rejected):
    """Not one header, one signature and one sealed body."""

    code = "answer_malformed"


class AnswerForeign(Rejected):
    """An answer to something else."""

    code = "answer_foreign"


class ReplyKeyDiffers(Rejected):
    """An answer sealed to another key than the enquiry's."""

    code = "reply_key_differs"


class ToldDiffers(Rejected):
    """The log was told something else than the desk was sent."""

    code = "told_differs"


@dataclass(frozen=True, slots=True)
class Released:
    """The bytes of a released message, and the entry that lets the answer go; checks 1 to 10 hold."""

    entry: ReleaseEntry | CouldNotLookEntry
    answer: Envelope = field(repr=False)
    receipt: bytes = field(repr=False)
    addendum: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedAnswer:
    """An answer every check of which holds, divided by its grant."""

    released: Released
    header: AnswerHeader
    handling: str | None = field(repr=False)
    """What the originator asks of whoever reads it; None where nobody can read it."""
    judged: Judged = field(repr=False)
    is_unread: bool = False
    """What it holds is no answer: nothing of it was taken in."""


def open_released(
    parts: Sequence[bytes], asked: Asked | None, *, sender: str, identity: Identity, trust: Trust, now: int
) -> OpenedAnswer:
    """The answer in a released message.

    Args:
        asked: the desk's own record of the exchange, None if there is none.
        sender: the party whose message it was.
        identity: the enquiry's reply identity.

    Raises:
        Rejected: the failure names the check.
    """
    if len(parts) != _PARTS:  # 1
        raise PartsUnexpected("not answer, receipt and addendum")
    if asked is None or asked.grant is None:  # 2
        raise ExchangeUnknown("this desk asked nothing there")
    if sender != asked.agency:
        raise NotTheOneAsked("another agency than the one asked")
    released = _logged(parts, asked, trust, now)  # 3 to 10
    header = _header(released, asked, trust, now)  # 11 to 15
    roles = {subject.ref: subject.role for subject in asked.request().subjects}
    body = _body(released.answer, identity)  # 16
    if body is None:
        return OpenedAnswer(released, header, None, judge_unread(roles, asked.granted()), is_unread=True)
    if body.exchange != asked.exchange:  # 17
        raise AnswerForeign("a body of another exchange")
    told = open_addendum(  # 18
        released.addendum, bytes.fromhex(body.addendum_key), hub=trust.hub, about=asked.exchange
    )
    expected = ReleaseTold(exchange=body.exchange, outcomes=[told_of(row) for row in body.outcomes])
    if not hmac.compare_digest(told, expected.encode()):  # 19
        raise ToldDiffers("the addendum tells of other outcomes than the answer holds")
    found_any = any(row.outcome is Outcome.ANSWERED for row in body.outcomes)
    if isinstance(released.entry, CouldNotLookEntry) and found_any:  # 20
        raise ToldDiffers("the log says could-not-look, and the answer holds facts")
    return OpenedAnswer(released, header, body.handling, judge(body.outcomes, roles, asked.granted()))


def read_release(leaf: bytes, asked: Asked, *, trust: Trust, now: int) -> ReleaseEntry | CouldNotLookEntry:
    """The release or could-not-look entry about an exchange: checks 4 to 8.

    Raises:
        Rejected: the failure names the check.
    """
    entry = read_entry(leaf)  # 4
    if not isinstance(entry, ReleaseEntry | CouldNotLookEntry):
        raise EntryForeign("not an entry that releases an answer")
    if (entry.hub, entry.log) != (trust.hub, trust.origin):  # 5
        raise EntryForeign("an entry of another hub or log")
    if (entry.agency, entry.by, entry.exchange) != (asked.agency, asked.agency, asked.exchange):
        raise EntryForeign("an entry about another exchange, or by another party")
    check_dated(entry.t, not_before=asked.asked_at, now=now, what="the entry")  # 6
    # The log has fixed it: a key that was revoked since takes nothing back.
    verify_deed(type(entry), leaf, trust.directory.key(asked.agency, KeyPurpose.DEED, entry.deed_key, entry.t))
    if entry.request_digest != asked.request_digest:  # 7
        raise RequestDiffers("the entry names another request")
    if entry.grant_digest != asked.grant_digest:  # 8
        raise GrantDiffers("the entry names another grant")
    return entry


def _logged(parts: Sequence[bytes], asked: Asked, trust: Trust, now: int) -> Released:
    answer, receipt, addendum = unpack(parts[0]), parts[1], parts[2]
    entry = read_release(trust.prove(receipt, now), asked, trust=trust, now=now)  # 3, 4 to 8
    if entry.answer_digest != answer.digest:  # 9
        raise AnswerDiffers("the entry names another answer")
    if entry.addendum_digest != digest(addendum):  # 10
        raise AddendumDiffers("the entry names another addendum")
    return Released(entry, answer, receipt, addendum)


def _header(released: Released, asked: Asked, trust: Trust, now: int) -> AnswerHeader:
    answer, entry = released.answer, released.entry
    if len(answer.signatures) != 1 or len(answer.parts) != 1:  # 11
        raise AnswerMalformed("not one signature and one sealed body")
    header = read(AnswerHeader, answer.header)
    if (header.hub, header.agency, header.exchange) != (trust.hub, asked.agency, asked.exchange):  # 12
        raise AnswerForeign("an answer of another hub, agency or exchange")
    if (header.request_digest, header.grant_digest) != (asked.request_digest, asked.grant_digest):
        raise AnswerForeign("an answer to another request or grant")
    if header.reply_key != asked.reply_key:  # 13
        raise ReplyKeyDiffers("sealed to another key than this enquiry's")
    check_dated(header.answered_at, not_before=asked.asked_at, now=now, what="the answer")  # 14
    # The entry named this very answer at its own time: an answer key that was revoked later takes nothing back.
    key = trust.directory.key(asked.agency, KeyPurpose.ANSWER, header.answer_key, header.answered_at, seen_at=entry.t)
    verify_header(answer, key, KeyPurpose.ANSWER)
    check_parts(answer, [header.body_digest])  # 15
    return header


def _body(answer: Envelope, identity: Identity) -> AnswerBody | None:
    """The body; None if what opened cannot be read as one. Which of its fields it was is nobody's business."""
    try:
        return open_answer(answer.header, answer.parts[0], identity)
    except (SealBroken, PaddingInvalid):
        raise
    except Rejected:
        return None
