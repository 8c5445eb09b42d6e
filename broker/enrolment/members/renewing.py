"""A party's newer statement comes in: checked against the one held, committed, answered with what it needs.

The answer is the claims of its newest account, where they are not those it has, and a chain: its certificate and every
authority to be trusted. Refuses to know how a party makes statements (`broker.node.renewals`).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.books import records
from broker.enrolment.books.records import Certificate, MemberState
from broker.enrolment.books.register import Register, keys_of, party_of
from broker.enrolment.books.room import Room
from broker.enrolment.tls.authority import CertificateRequest, expires_at, read_request
from broker.node.post.port import Received
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.envelope import PartMismatch
from schemas.failures import Rejected
from schemas.messages.enrolment import KeyShared, check_keys
from schemas.messages.party import Directory, Party, PartyKind
from schemas.messages.transport import Renewal


class StatementForeign(Rejected):
    """A renewal with somebody else's statement."""

    code = "statement_foreign"


class ChallengeWrong(Rejected):
    """A renewal with another answer than the one to the challenge of its admission."""

    code = "challenge_wrong"


@dataclass(frozen=True, slots=True)
class Renewed:
    """A renewal that holds: who, by which statement, and the key it asks a certificate for."""

    party: Party
    is_newer: bool
    request: CertificateRequest | None
    challenge_digest: str | None


def check_renewal(received: Received, outer: Renewal, register: Register, now: int) -> Renewed:
    """Open a renewal, or say what does not hold. The same statement again is no failure: a certificate may be wanted.

    Raises:
        Rejected: the failure names the check.
    """
    if len(received.parts) != 2:
        raise PartMismatch("a renewal has a statement and a certificate request, which may be empty")
    party = party_of(received.parts[0])
    held = register.party(received.sender.id)
    if party.id != held.id:
        raise StatementForeign("a statement of somebody else")
    is_newer = party.raw != held.raw
    if is_newer:
        Directory.of(party.statement.hub, [held]).with_renewed(party)
        if party.statement.party_kind is PartyKind.AGENT:
            check_keys(party, now)
    request = read_request(received.parts[1]) if received.parts[1] else None
    return Renewed(party, is_newer, request, outer.challenge_digest)


def commit_renewal(room: Room, tx: Transaction, register: Register, renewed: Renewed, now: int) -> Iterable[Outgoing]:
    """Keep the newer statement and the certificate; the entries that say so.

    Raises:
        KeyShared: one of its keys is somebody else's.
        ChallengeWrong: it opened something else than was sealed to it.
    """
    party = renewed.party
    publics = [*keys_of(party), *([renewed.request.spki] if renewed.request else [])]
    if records.owners(tx, publics) - {party.id}:
        raise KeyShared("one of its keys is, or was, another party's")
    records.keep_keys(tx, party.id, publics)
    if renewed.request is not None:
        records.put_certificate(tx, _certificate(room, party, renewed.request, now))
    if party.statement.party_kind is not PartyKind.AGENT:
        if renewed.is_newer:
            records.put_hub_statement(tx, party.id, party.frame)
        return ()
    member = register.member(party.id, (MemberState.ADMITTED, MemberState.SUSPENDED))
    answer = renewed.challenge_digest
    if answer is not None and not hmac.compare_digest(answer, member.challenge_digest):
        raise ChallengeWrong("it opened something else than was sealed to it at its admission")
    records.put_member(tx, replace(member, statement=party.frame, is_proven=member.is_proven or answer is not None))
    return (room.deeds.step("renewed", party, now),) if renewed.is_newer else ()


def answer_of(room: Room, tx: Transaction, party: Party) -> tuple[bytes, bytes]:
    """What the acknowledgement of a renewal carries: the claims of the account, and the chain; either may be empty."""
    accounts, certificate = records.accounts(tx), records.certificates(tx).get(party.id)
    name = party.token if party.statement.party_kind is PartyKind.AGENT else room.issuer().hub
    claims = accounts[name].claims.encode("ascii") if name in accounts else b""
    return claims, b"" if certificate is None else certificate.pem + room.authorities.trusted()


def _certificate(room: Room, party: Party, request: CertificateRequest, now: int) -> Certificate:
    issued = room.authorities.issuing().issue_client(request, party.statement.party_kind, now=now)
    pem = issued.public_bytes(Encoding.PEM)
    return Certificate(party.id, request.spki, pem, expires_at(pem))
