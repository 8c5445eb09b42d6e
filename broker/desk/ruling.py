"""The coordinator's answer to a submission, held against the request it rules on (SPEC 5.5).

The numbered checks, in code order:

 1  two parts (refused) or three (permitted): ruling, receipt, grant envelope
 2  the ruling names this hub, agency, exchange and request digest, and has a grant exactly if it permits
 3  the receipt is proven by the pinned log of the coordinator
 4  the entry is a request (permitted) or a refusal (refused) about this hub, log, agency and exchange
 5  the entry names this request's digest, its addendum's digest, the desk's key and the desk's own signature
 6  refused: the entry names the ruling's policy. Permitted: its deadline and expiry are the request's, and its grant
    digest is that of the grant's header
 7  the grant is signed by the coordinator's pinned grant key, and has nothing but header and that signature
 8  the grant names this hub, agency, exchange, request digest and the ruling's policy
 9  the grant only narrows: categories, modes and roles are the header's, fields are the record's, and it does not
    outlive the request

Pure: bytes in, a `Permitted` or `Refused` out, or the check that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from broker.desk.asked import Asked
from broker.desk.trust import Trust
from schemas.crypto.failures import SignatureInvalid
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.envelope import pack, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.entry import RefusalEntry, RequestEntry, read_entry
from schemas.messages.grant import MAX_RULING_BYTES, Grant, Ruling
from schemas.messages.model import read
from schemas.messages.request import RequestHeader
from schemas.records.registry import fields_of
from schemas.vocabulary import Mode

_NARROWS: Final = {(Mode.CONTENT, Mode.CONTENT), (Mode.CONTENT, Mode.EXISTENCE), (Mode.EXISTENCE, Mode.EXISTENCE)}
"""Asked mode, granted mode."""


class PartsUnexpected(Rejected):
    """Not the parts that belong to this message."""

    code = "parts_unexpected"


class RulingForeign(Rejected):
    """A ruling on something else, or one that contradicts itself."""

    code = "ruling_foreign"


class EntryForeign(Rejected):
    """An entry of another type, or about another hub, log, agency or exchange."""

    code = "entry_foreign"


class RequestDiffers(Rejected):
    """It is about another request than ours."""

    code = "request_differs"


class TimesDiffer(Rejected):
    """It states another deadline or expiry than the request."""

    code = "times_differ"


class GrantDiffers(Rejected):
    """Another grant than the one that belongs to this exchange."""

    code = "grant_differs"


class GrantWidens(Rejected):
    """A grant of something that was not asked."""

    code = "grant_widens"


@dataclass(frozen=True, slots=True)
class Permitted:
    """The request was permitted; the entry says so."""

    grant: bytes = field(repr=False)
    """The grant's header bytes."""
    grant_digest: str
    ruling: bytes
    receipt: bytes = field(repr=False)
    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused; the entry says so, and nothing was sent to the agency."""

    ruling: bytes
    receipt: bytes = field(repr=False)
    at: int


Ruled: TypeAlias = "Permitted | Refused"


def read_ruling(parts: Sequence[bytes], asked: Asked, *, trust: Trust, now: int) -> Ruled:
    """What was ruled, or which check of SPEC 5.5 the acknowledgement failed.

    Raises:
        Rejected: the failure names the check.
    """
    if len(parts) not in (2, 3):  # 1
        raise PartsUnexpected("not ruling, receipt and perhaps a grant")
    ruling = read(Ruling, parts[0], limit_bytes=MAX_RULING_BYTES)  # 2
    if (ruling.hub, ruling.agency, ruling.exchange) != (trust.hub, asked.agency, asked.exchange):
        raise RulingForeign("a ruling about another exchange")
    if ruling.request_digest != asked.request_digest:
        raise RequestDiffers("a ruling on another request")
    if ruling.permitted != (len(parts) == 3):
        raise RulingForeign("a ruling permits with a grant and refuses without one")
    entry = read_entry(trust.prove(parts[1], now))  # 3
    if not isinstance(entry, RequestEntry if ruling.permitted else RefusalEntry):  # 4
        raise EntryForeign("not the entry of that ruling")
    if (entry.hub, entry.log) != (trust.hub, trust.origin):
        raise EntryForeign("an entry of another hub or log")
    if (entry.agency, entry.exchange) != (asked.agency, asked.exchange):
        raise EntryForeign("an entry about another exchange")
    header = asked.request()  # 5
    ours = (asked.request_digest, header.addendum_digest, header.desk_key)
    if (entry.request_digest, entry.addendum_digest, entry.desk_key) != ours:
        raise RequestDiffers("the entry names another request, addendum or desk key")
    _check_desk_signature(entry, header, asked, trust)
    if isinstance(entry, RefusalEntry):  # 6
        if entry.policy_digest != ruling.policy_digest:
            raise RulingForeign("entry and ruling name two policies")
        return Refused(parts[0], parts[1], entry.t)
    if (entry.deadline_at, entry.expires_at) != (asked.deadline_at, asked.expires_at):
        raise TimesDiffer("the entry states other times than the request")
    envelope = unpack(parts[2])
    if envelope.digest != entry.grant_digest:
        raise GrantDiffers("the entry names another grant")
    grant = read(Grant, envelope.header)
    # 7  what the log fixed before a key was revoked stands, whenever it comes
    key = trust.directory.key(
        trust.coordinator.id, KeyPurpose.GRANT, grant.grant_key, grant.not_before, seen_at=entry.t
    )
    verify_header(envelope, key, KeyPurpose.GRANT)
    if pack(envelope.header, envelope.signatures[:1]) != parts[2]:
        raise GrantDiffers("a grant has one signature and no parts")
    _check_grant(grant, header, ruling, asked, trust)
    return Permitted(envelope.header, envelope.digest, parts[0], parts[1], entry.t)


def _check_desk_signature(
    entry: RequestEntry | RefusalEntry, header: RequestHeader, asked: Asked, trust: Trust
) -> None:
    # By the public half, whatever became of it since: the key may have been rotated, revoked and destroyed.
    stated = trust.directory.party(trust.desk.id).keys
    ours = [one.key for one in stated if one.key.purpose is KeyPurpose.REQUEST and one.key.id == header.desk_key]
    try:
        if not ours:
            raise SignatureInvalid("a key that the desk does not state")
        verify(ours[0], KeyPurpose.REQUEST, asked.header, bytes.fromhex(entry.desk_sig), None)
    except SignatureInvalid:
        raise RequestDiffers("the entry carries a signature that this desk did not make") from None


def _check_grant(grant: Grant, header: RequestHeader, ruling: Ruling, asked: Asked, trust: Trust) -> None:
    if (grant.hub, grant.agency, grant.exchange) != (trust.hub, asked.agency, asked.exchange):  # 8
        raise GrantDiffers("a grant for another exchange")
    if grant.request_digest != asked.request_digest:
        raise RequestDiffers("a grant for another request")
    if grant.policy_digest != ruling.policy_digest:
        raise GrantDiffers("grant and ruling name two policies")
    if grant.expires_at > asked.expires_at:  # 9
        raise GrantWidens("the grant outlives the request")
    if grant.lifted and header.break_glass is None:
        raise GrantWidens("rules lifted, and nobody broke the glass")
    if header.break_glass is not None and grant.expires_at > header.break_glass.until:
        raise GrantWidens("the grant outlives the manager's word")
    modes = {one.category: one.mode for one in header.categories}
    roles = {subject.role for subject in header.subjects}
    for scope in grant.scope:
        mode = modes.get(scope.category)
        if mode is None or (mode, scope.mode) not in _NARROWS:
            raise GrantWidens("a category or mode that was not asked")
        if not roles.issuperset(scope.roles):
            raise GrantWidens("a role that no subject of the request has")
        if not fields_of(scope.category, scope.mode).issuperset(scope.fields):
            raise GrantWidens("a field that the record does not have")
