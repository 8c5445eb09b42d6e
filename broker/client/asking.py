"""How an officer asks: the desk prepares, this program checks what it was shown, the officer's key signs that."""

from __future__ import annotations

from typing import Any

from broker.client.hub import OfficerAtDesk
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.failures import Failure
from schemas.messages.entry import review_digest
from schemas.messages.model import read
from schemas.messages.request import RequestHeader, request_digest, sign_as_officer
from schemas.vocabulary import ReviewFinding


class HeaderUnexpected(Failure):
    """The desk prepared something else than was asked for; nothing was signed."""

    code = "header_unexpected"


def issue_request(officer: OfficerAtDesk, enquiry_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Prepare, check, sign and submit a request.

    Raises:
        HeaderUnexpected: the desk prepared something else.
        CommandFailed, NotRunning: the desk refused, or does not run.
    """
    prepared = officer.ask("POST", f"/enquiries/{enquiry_id}/requests", body)
    raw = str(prepared["header"]).encode("utf-8")
    header = read(RequestHeader, raw)
    asked = [one.model_dump(mode="json") for one in header.categories]
    if header.agency != body["agency"] or asked != body["categories"] or header.officer != officer.officer:
        raise HeaderUnexpected("the desk prepared a request to another agency, for other categories or by another")
    _check_glass(header, body)
    signature = sign_as_officer(officer.keys.signing_key(KeyPurpose.OFFICER), request_digest(raw))
    answer: dict[str, Any] = officer.ask(
        "POST", f"/requests/{prepared['exchange']}/signature", {"signature": signature.raw.hex()}
    )
    return answer


def _check_glass(header: RequestHeader, body: dict[str, Any]) -> None:
    wanted, broken = body.get("break_glass"), header.break_glass
    if (wanted is None) != (broken is None):
        raise HeaderUnexpected("the desk prepared a request with a broken glass, or without, and you did not ask so")
    if (
        broken is not None
        and wanted is not None
        and (broken.manager != wanted["manager"] or broken.until > wanted["until"])
    ):
        raise HeaderUnexpected("the desk prepared a request for another manager to sign, or for longer")


def sign_as_manager(manager: OfficerAtDesk, shown: dict[str, Any]) -> dict[str, Any]:
    """Sign, as the manager whom it names, a request that was shown to a person; the desk sends it on its way.

    Raises:
        HeaderUnexpected: it names another manager.
        CommandFailed, NotRunning: the desk refused, or does not run.
    """
    raw = str(shown["header"]).encode("utf-8")
    header = read(RequestHeader, raw)
    if header.break_glass is None or header.break_glass.manager != manager.officer or header.officer == manager.officer:
        raise HeaderUnexpected("the desk showed a request that names another manager; nothing was signed")
    signature = sign_as_officer(manager.keys.signing_key(KeyPurpose.OFFICER), request_digest(raw))
    answer: dict[str, Any] = manager.ask(
        "POST", f"/break-glass/{shown['exchange']}/signature", {"signature": signature.raw.hex()}
    )
    return answer


def close_review(lead: OfficerAtDesk, review: dict[str, Any], finding: ReviewFinding, words: str) -> dict[str, Any]:
    """Sign, as a lead, that the review of a broken glass is over.

    Raises:
        CommandFailed, NotRunning: the desk refused, or does not run.
    """
    key, opened_by = lead.keys.signing_key(KeyPurpose.OFFICER), str(review["entry_hash"])
    signature = sign(key, KeyPurpose.OFFICER, review_digest(opened_by, finding).encode("ascii"))
    body = {
        "break_glass": opened_by,
        "finding": finding.value,
        "words": words,
        "lead_key": key.id,
        "signature": signature.hex(),
    }
    answer: dict[str, Any] = lead.ask("POST", f"/break-glass/{review['exchange']}/closing", body)
    return answer
