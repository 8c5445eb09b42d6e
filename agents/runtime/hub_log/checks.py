"""The numbered checks of a delivery (SPEC 5.4): bytes in, an opened request or the check it failed.

No single party at the hub can get data out of this agency, or ask off the record, because every one of these holds:

 1  The delivery has four parts: request, grant, receipt, extension.
 2  The receipt verifies under the pinned coordinator's log key and the pinned origin.
 3  Its leaf is a request entry of this hub, this log, this agency and the delivery's exchange.
 4  The entry's request digest is that of the request.
 5  The entry's grant digest is that of the grant.
 6  The request is a request header, and its parts are the body and the addendum it names.
 7  The entry's addendum digest is the header's.
 8  The header is for this hub, this log, this agency and this exchange.
 9  The header's deadline and expiry are the entry's; it has not expired and is not from the future.
10  The pinned desk's request key that header and entry name has signed the header, and that is the entry's signature.
11  The officer is pinned, has the role the header says, and has signed the request's digest with the key it names.
    Where the glass was broken, the manager is pinned, in a manager's role, and has signed it too, in time.
12  The pinned coordinator's grant key has signed the grant.
13  The grant is for this hub, agency and exchange, and names this request's digest.
14  The grant is in force now.
15  The grant only narrows the header: categories, modes, roles, fields, expiry.
16  The sealing key and epoch are this agency's. Where the private key is gone (revoked in an emergency, or lost with a
    home), nobody can make checks 17 to 20, and the answer is *could not look*.
17  The body opens, and is of this exchange.
18  The addendum opens with the body's key, and is of this exchange.
19  The addendum tells what the body tells, byte for byte.
20  The subjects' references and roles, the officer, the stage and who broke the glass are the header's.
21  The mirror extends to the receipt's checkpoint without contradiction (`mirror.take_head`, in the transaction).
22  Every entry that the hub has numbered for this agency is held (`mirror.standing`; before the source is asked).

Cheap checks of identity stand before signatures, signatures before anything is opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from agents.runtime.hub_log import check_failures as fails
from agents.runtime.hub_log.mirror import Extension, read_extension
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.log_keys import LogKeys, Proof
from broker.node.ring import Ring
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Envelope, check_parts, digest, unpack, verify_header
from schemas.failures import Rejected
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.addendum import open_addendum
from schemas.messages.entry import RequestEntry, read_entry_as
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.messages.party import Directory, Party, PartyKind
from schemas.messages.request import (
    MAX_BODY_BYTES,
    RequestBody,
    RequestHeader,
    RequestTold,
    Told,
    open_body,
    verify_officer,
)
from schemas.records.registry import fields_of
from schemas.vocabulary import MANAGER_ROLES, Mode

_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request that passed checks 1 to 20. Who and why never show in a representation."""

    header: RequestHeader
    grant: Grant
    told: Told | None = field(repr=False)
    """None: it was sealed to a key of this agency's that is gone."""
    entry: RequestEntry
    proof: Proof[VerifiedReceipt]
    extension: Extension = field(repr=False)
    request: bytes = field(repr=False)
    grant_envelope: bytes = field(repr=False)
    request_digest: str
    grant_digest: str

    @property
    def receipt(self) -> VerifiedReceipt:
        """The entry's receipt."""
        return self.proof.proven


@dataclass(frozen=True, slots=True)
class Checker:
    """What a delivery is checked against: who I am, the private sealing keys I hold, whom I pinned."""

    ring: Ring
    pinned: Callable[[], Directory]
    """Asked each time: parties may be pinned, renewed and unpinned while the program runs."""

    @property
    def me(self) -> Party:
        """This agency, by its newest statement."""
        return self.ring.me

    @property
    def directory(self) -> Directory:
        """Whom I pinned, as last read."""
        return self.pinned()

    def check(self, parts: tuple[bytes, ...], exchange: str, now: int) -> Delivered:
        """Open a delivery, or say which check it failed.

        Raises:
            Rejected: one of `check_failures`, in the order of the list above.
        """
        request, grant_envelope, receipt_raw, extension = _taken_apart(parts)  # 1
        proof, entry = self._logged(receipt_raw, exchange, now)  # 2, 3
        if not hmac.compare_digest(entry.request_digest, request.digest):  # 4
            raise fails.RequestNotLogged
        if not hmac.compare_digest(entry.grant_digest, grant_envelope.digest):  # 5
            raise fails.GrantNotLogged
        header = self._header(request, entry, exchange, now)  # 6 to 9
        self._desk(request, header, entry)  # 10
        self._officer(request, header, entry)  # 11
        self._manager(request, header, entry)
        grant = self._grant(grant_envelope, header, entry, now)  # 12 to 15
        told = self._opened(request, header)  # 16 to 20
        return Delivered(
            header=header,
            grant=grant,
            told=told,
            entry=entry,
            proof=proof,
            extension=extension,
            request=parts[0],
            grant_envelope=parts[1],
            request_digest=request.digest,
            grant_digest=grant_envelope.digest,
        )

    def logged(
        self, parts: tuple[bytes, ...], exchange: str, now: int
    ) -> tuple[Proof[VerifiedReceipt], RequestEntry, Extension]:
        """The entry that a delivery proves, whatever becomes of the delivery: checks 1 to 3.

        Raises:
            DeliveryIncomplete, ReceiptUntrusted, EntryForeign: the failure names the check.
        """
        _, _, receipt_raw, extension = _taken_apart(parts)
        return (*self._logged(receipt_raw, exchange, now), extension)

    def reopen(self, request_raw: bytes, grant_raw: bytes) -> tuple[RequestHeader, Grant, Told | None]:
        """What a delivery said that was checked before and lay in this agency's own store since; see `Delivered`.

        Raises:
            Rejected: it does not open.
        """
        request, grant = unpack(request_raw), read(Grant, unpack(grant_raw).header)
        header = read(RequestHeader, request.header)
        body = self._body(request, header)
        return header, grant, None if body is None else body.told

    def log_keys(self, at: int) -> LogKeys:
        """The keys of the hub's log, by its newest statement.

        Raises:
            ReceiptUntrusted: no coordinator with a log is pinned.
        """
        with _as(fails.ReceiptUntrusted):
            return LogKeys.of(self.directory.only(PartyKind.COORDINATOR), at)

    def verified(self, receipt_raw: bytes, at: int) -> Proof[VerifiedReceipt]:
        """The entry of a receipt that the hub's log gave; one under a dead key is for the mirror to bear out.

        Raises:
            ReceiptUntrusted: it does not verify.
        """
        with _as(fails.ReceiptUntrusted):
            return self.log_keys(at).receipt(receipt_raw)

    def _logged(self, receipt_raw: bytes, exchange: str, now: int) -> tuple[Proof[VerifiedReceipt], RequestEntry]:
        proof = self.verified(receipt_raw, now)  # 2
        receipt = proof.proven
        with _as(fails.EntryForeign):  # 3
            entry = read_entry_as(RequestEntry, receipt.leaf)
        named = (entry.hub, entry.log, entry.agency, entry.exchange)
        if named != (self.directory.hub, receipt.head.origin, self.me.id, exchange):
            raise fails.EntryForeign
        return proof, entry

    def _header(self, request: Envelope, entry: RequestEntry, exchange: str, now: int) -> RequestHeader:
        with _as(fails.RequestMalformed):  # 6
            header = read(RequestHeader, request.header)
            check_parts(request, [header.body_digest, header.addendum_digest])
        if not hmac.compare_digest(entry.addendum_digest, header.addendum_digest):  # 7
            raise fails.AddendumNotLogged
        named = (header.hub, header.log, header.agency, header.exchange)
        if named != (self.directory.hub, entry.log, self.me.id, exchange):  # 8
            raise fails.RequestMisaddressed
        if (header.deadline_at, header.expires_at) != (entry.deadline_at, entry.expires_at):  # 9
            raise fails.RequestUntimely("its times are not those of the entry")
        if now >= header.expires_at or header.asked_at > now + PERMITTED_SKEW_MS:
            raise fails.RequestUntimely("expired, or dated in the future")
        return header

    def _desk(self, request: Envelope, header: RequestHeader, entry: RequestEntry) -> None:
        with _as(fails.DeskUntrusted):  # 10
            desk = self.directory.only(PartyKind.DESK)
            key = self.directory.key(desk.id, KeyPurpose.REQUEST, header.desk_key, header.asked_at, seen_at=entry.t)
            verify_header(request, key, KeyPurpose.REQUEST)
        claimed = {signature.key_id: signature.raw.hex() for signature in request.signatures}
        if entry.desk_key != header.desk_key or not hmac.compare_digest(entry.desk_sig, claimed[header.desk_key]):
            raise fails.DeskUntrusted("the entry holds another signature")

    def _officer(self, request: Envelope, header: RequestHeader, entry: RequestEntry) -> None:
        with _as(fails.OfficerUntrusted):  # 11
            officer = self.directory.party(header.officer)
            key = self.directory.key(
                officer.id, KeyPurpose.OFFICER, header.officer_key, header.asked_at, seen_at=entry.t
            )
            verify_officer(request, key)
        if officer.statement.party_kind is not PartyKind.OFFICER:
            raise fails.OfficerUntrusted("not an officer")
        if officer.statement.officer_role is not header.officer_role:
            raise fails.OfficerUntrusted("pinned in another role")

    def _manager(self, request: Envelope, header: RequestHeader, entry: RequestEntry) -> None:
        broken = header.break_glass
        if broken is None:
            return
        with _as(fails.ManagerUntrusted):
            manager = self.directory.party(broken.manager)
            key = self.directory.key(
                manager.id, KeyPurpose.OFFICER, broken.manager_key, header.asked_at, seen_at=entry.t
            )
            verify_officer(request, key)
        if manager.statement.party_kind is not PartyKind.OFFICER:
            raise fails.ManagerUntrusted("not an officer")
        if manager.statement.officer_role not in MANAGER_ROLES:
            raise fails.ManagerUntrusted("pinned in a role that breaks no glass")
        if entry.t >= broken.until:
            raise fails.ManagerUntrusted("the manager's word was over when the hub took the request in")

    def _grant(self, envelope: Envelope, header: RequestHeader, entry: RequestEntry, now: int) -> Grant:
        with _as(fails.GrantUntrusted):  # 12
            grant = read(Grant, envelope.header)
            hub = self.directory.only(PartyKind.COORDINATOR)
            key = self.directory.key(hub.id, KeyPurpose.GRANT, grant.grant_key, grant.not_before, seen_at=entry.t)
            verify_header(envelope, key, KeyPurpose.GRANT)
            check_parts(envelope, [])
        named = (grant.hub, grant.agency, grant.exchange)
        if named != (header.hub, header.agency, header.exchange) or not hmac.compare_digest(
            grant.request_digest, entry.request_digest
        ):  # 13
            raise fails.GrantForeign
        if not grant.not_before - PERMITTED_SKEW_MS <= now < grant.expires_at:  # 14
            raise fails.GrantUntimely
        check_narrows(grant, header)  # 15
        return grant

    def _opened(self, request: Envelope, header: RequestHeader) -> Told | None:
        body = self._body(request, header)  # 16, 17
        if body is None:
            return None
        with _as(fails.AddendumSealed):  # 18
            content = open_addendum(
                request.parts[1], bytes.fromhex(body.addendum_key), hub=header.hub, about=header.exchange
            )
            told = read(RequestTold, content, limit_bytes=MAX_BODY_BYTES)
        if told.exchange != header.exchange:
            raise fails.AddendumSealed("of another exchange")
        said = RequestTold(exchange=body.exchange, told=body.told).encode()
        if not hmac.compare_digest(digest(said), digest(content)):  # 19
            raise fails.ToldDiffers
        named = sorted((subject.ref, subject.role) for subject in body.told.subjects)
        if named != sorted((subject.ref, subject.role) for subject in header.subjects):  # 20
            raise fails.SubjectsDiffer
        if body.told.officer.id != header.officer:
            raise fails.SubjectsDiffer("another officer")
        if body.told.stage is not header.stage:
            raise fails.SubjectsDiffer("another stage")
        broken, said_broken = header.break_glass, body.told.break_glass
        if (broken and broken.manager) != (said_broken and said_broken.manager.id):
            raise fails.SubjectsDiffer("another manager, or a broken glass that one of the two does not know of")
        return body.told

    def _body(self, request: Envelope, header: RequestHeader) -> RequestBody | None:
        identity = self.ring.identity(KeyPurpose.SEAL, header.seal_key)  # 16
        epochs = {stated.key.id: stated.epoch for stated in self.me.keys}
        if identity is None and epochs.get(header.seal_key) == header.seal_epoch:
            return None
        if identity is None or epochs.get(header.seal_key, header.seal_epoch) != header.seal_epoch:
            raise fails.SealKeyUnknown
        with _as(fails.BodySealed):  # 17
            body = open_body(request.header, request.parts[0], identity)
        if body.exchange != header.exchange:
            raise fails.BodySealed("of another exchange")
        return body


def check_narrows(grant: Grant, header: RequestHeader) -> None:
    """That a grant allows nothing the header did not ask for.

    Raises:
        GrantTooWide: a category, mode, role, field or time beyond it.
    """
    asked = {one.category: one.mode for one in header.categories}
    roles = {subject.role for subject in header.subjects}
    for scope in grant.scope:
        mode = asked.get(scope.category)
        if mode is None or (scope.mode is not mode and scope.mode is not Mode.EXISTENCE):
            raise fails.GrantTooWide("a category or mode that was not asked for")
        if not roles.issuperset(scope.roles):
            raise fails.GrantTooWide("a role that nobody in the request has")
        if not fields_of(scope.category, scope.mode).issuperset(scope.fields):
            raise fails.GrantTooWide("a field that its category does not have")
    if grant.expires_at > header.expires_at:
        raise fails.GrantTooWide("it outlives the request")
    broken = header.break_glass
    if grant.lifted and broken is None:
        raise fails.GrantTooWide("rules lifted, and nobody broke the glass")
    if broken is not None and grant.expires_at > broken.until:
        raise fails.GrantTooWide("it outlives the manager's word")


def _taken_apart(parts: tuple[bytes, ...]) -> tuple[Envelope, Envelope, bytes, Extension]:
    """Request, grant, receipt and extension, or what check 1 says."""
    if len(parts) != _PARTS:
        raise fails.DeliveryIncomplete(f"{len(parts)} parts")
    request, grant, receipt, extension = parts
    with _as(fails.DeliveryIncomplete):
        return unpack(request), unpack(grant), receipt, read_extension(extension)


@contextmanager
def _as(failure: type[Rejected]) -> Iterator[None]:
    """Give whatever does not hold inside the name of the check it belongs to; its own code becomes the detail."""
    try:
        yield
    except failure:
        raise
    except Rejected as reason:
        raise failure(reason.code) from None
