"""Opening a submission: the numbered checks of SPEC 5.6, in their order, each with a failure of its own.

Bytes in, a request whose signatures hold out. The coordinator never sees who it is about: the body stays sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from broker.coordinator.room import Room
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.post.port import Received
from broker.node.restating import SEAL_GRACE_MS, SEALED_AHEAD_MS
from schemas.crypto.failures import SignatureMissing
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import Verified, verify
from schemas.envelope import Envelope, FrameMalformed, Signature, check_parts, unpack
from schemas.failures import Rejected
from schemas.messages.model import read
from schemas.messages.party import Party, PartyKind
from schemas.messages.request import RequestHeader, signatures_of, verify_officer
from schemas.messages.transport import Submission
from schemas.vocabulary import MANAGER_ROLES, AgencyKind

LONGEST_MS: Final = timedelta(days=60) // timedelta(milliseconds=1)
"""How long a request may stay open: no statutory time of DOMAIN section 7 is longer than 45 working days."""


class NotTheDesk(Rejected):
    """Only the hub's desk submits requests."""

    code = "not_the_desk"


class ExchangeMismatch(Rejected):
    """The message and the request in it name different exchanges."""

    code = "exchange_mismatch"


class WrongHub(Rejected):
    """A request of another hub."""

    code = "wrong_hub"


class WrongLog(Rejected):
    """A request to be found in another log than ours."""

    code = "wrong_log"


class AgencyNotAdmitted(Rejected):
    """The agency asked is not pinned here, is not an agency, or was not admitted."""

    code = "agency_not_admitted"


class AgencySuspended(Rejected):
    """Admission has suspended the agency: nothing new is asked of it until it is resumed."""

    code = "agency_suspended"


class SealKeyStale(Rejected):
    """The body is sealed to a key that was not the agency's to seal to when asked, or that it may destroy by now."""

    code = "seal_key_stale"


class OfficerNotAdmitted(Rejected):
    """The officer is not pinned here, is not an officer, or was not admitted."""

    code = "officer_not_admitted"


class OfficerRoleWrong(Rejected):
    """The officer was admitted with another role."""

    code = "officer_role_wrong"


class ManagerNotAdmitted(Rejected):
    """Whoever broke the glass is not pinned here, is not an officer, or was not admitted."""

    code = "manager_not_admitted"


class ManagerRoleWrong(Rejected):
    """Whoever broke the glass was not admitted in a role that may."""

    code = "manager_role_wrong"


class BreakGlassOver(Rejected):
    """The manager's word was good until an instant that is past."""

    code = "break_glass_over"


class NotFresh(Rejected):
    """Past its deadline before it came in, or dated in the future.

    A submission may have waited hours for a bus; that it is no replay is known from its exchange's id.
    """

    code = "not_fresh"


class TooLong(Rejected):
    """Open for longer than a request may be."""

    code = "too_long"


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """A request whose every signature holds; not yet decided."""

    header: Verified[RequestHeader]
    raw: bytes
    desk_signature: bytes
    addendum: bytes
    request_digest: str
    agency_kind: AgencyKind
    manager_signature: bytes = b""
    """Where a manager broke the glass."""


def check_submission(received: Received, room: Room) -> CheckedSubmission:
    """Open a submission, or say which check it failed.

    Raises:
        Rejected: the failure names the check.
    """
    outer, now, directory = received.outer, received.at, room.directory
    if received.sender.statement.party_kind is not PartyKind.DESK or not isinstance(outer, Submission):
        raise NotTheDesk  # 1  from the desk
    if len(received.parts) != 1:
        raise FrameMalformed("a submission has one part")
    envelope = unpack(received.parts[0])  # 2  one request in canonical form
    request = read(RequestHeader, envelope.header)
    if request.exchange != outer.exchange:
        raise ExchangeMismatch
    key = directory.key(received.sender.id, KeyPurpose.REQUEST, request.desk_key, now, seen_at=now)  # 3  signed by it
    desk_signature = _signature_by(envelope, key.id)
    header = verify(key, KeyPurpose.REQUEST, envelope.header, desk_signature, request)
    if request.hub != room.hub:  # 4  for this hub and this log
        raise WrongHub
    if request.log != room.log.origin:
        raise WrongLog
    agency_kind = _check_agency(request, room, now)  # 5, 6  to an admitted agency, sealed to its newest key
    _check_officer(request, envelope, room, now)  # 7, 8, 9  by an admitted officer in that role, who signed
    manager_signature = _check_manager(request, envelope, room, now)  # and where the glass was broken, by a manager
    if request.asked_at > now + PERMITTED_SKEW_MS or now >= request.deadline_at:  # 10  in time
        raise NotFresh("dated in the future, or past its deadline")
    if request.expires_at - request.asked_at > LONGEST_MS:  # 11  for a time that makes sense
        raise TooLong
    room.policies.check_stated(request.policy, max(now, request.asked_at))  # 12  under a version that is kept here
    check_parts(envelope, [request.body_digest, request.addendum_digest])  # 13  with exactly the parts it names
    return CheckedSubmission(
        header, received.parts[0], desk_signature, envelope.parts[1], envelope.digest, agency_kind, manager_signature
    )


def _check_agency(request: RequestHeader, room: Room, now: int) -> AgencyKind:
    agency = _admitted(request.agency, PartyKind.AGENT, room)
    if agency is None or agency.statement.agency_kind is None:
        raise AgencyNotAdmitted
    if room.is_suspended(agency.id):
        raise AgencySuspended
    check_epoch(request, agency, now)
    return agency.statement.agency_kind


def check_epoch(request: RequestHeader, agency: Party, now: int) -> None:
    """That a body is sealed to an epoch that was begun or about to begin when asked, and that the agency still keeps.

    Raises:
        SealKeyStale: it is not.
    """
    for one in agency.keys:
        if (one.key.purpose, one.key.id, one.epoch) == (KeyPurpose.SEAL, request.seal_key, request.seal_epoch):
            asked_in_time = one.not_before - SEALED_AHEAD_MS <= request.asked_at < one.not_after + PERMITTED_SKEW_MS
            is_kept = now < one.not_after + SEAL_GRACE_MS - PERMITTED_SKEW_MS
            if asked_in_time and is_kept and one.revoked_at is None:
                return
    raise SealKeyStale


def _check_officer(request: RequestHeader, envelope: Envelope, room: Room, now: int) -> None:
    officer = _admitted(request.officer, PartyKind.OFFICER, room)
    if officer is None:
        raise OfficerNotAdmitted
    if officer.statement.officer_role is not request.officer_role:
        raise OfficerRoleWrong
    key = room.directory.key(officer.id, KeyPurpose.OFFICER, request.officer_key, now, seen_at=now)
    if len(envelope.signatures) != signatures_of(request):
        raise SignatureMissing("not the desk's and the officer's signature, and the manager's where there is one")
    verify_officer(envelope, key)


def _check_manager(request: RequestHeader, envelope: Envelope, room: Room, now: int) -> bytes:
    broken = request.break_glass
    if broken is None:
        return b""
    manager = _admitted(broken.manager, PartyKind.OFFICER, room)
    if manager is None:
        raise ManagerNotAdmitted
    if manager.statement.officer_role not in MANAGER_ROLES:
        raise ManagerRoleWrong
    if now >= broken.until:
        raise BreakGlassOver
    key = room.directory.key(manager.id, KeyPurpose.OFFICER, broken.manager_key, now, seen_at=now)
    verify_officer(envelope, key)
    return _signature_by(envelope, key.id)


def _admitted(name: str, kind: PartyKind, room: Room) -> Party | None:
    party = room.directory.parties.get(name)
    if party is None or party.statement.party_kind is not kind or not room.is_admitted(party):
        return None
    return party


def _signature_by(envelope: Envelope, key_id: str) -> bytes:
    claimed: list[Signature] = [signature for signature in envelope.signatures if signature.key_id == key_id]
    if len(claimed) != 1:
        raise SignatureMissing("not exactly one signature by the request key")
    return claimed[0].raw
