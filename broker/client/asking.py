"""How an officer asks: the desk prepares, this program checks what it was shown, the officer's key signs that."""

from __future__ import annotations

from typing import Any

from broker.client.hub import OfficerAtDesk
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.model import read
from schemas.messages.request import RequestHeader, request_digest, sign_as_officer


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
    signature = sign_as_officer(officer.keys.signing_key(KeyPurpose.OFFICER), request_digest(raw))
    answer: dict[str, Any] = officer.ask(
        "POST", f"/requests/{prepared['exchange']}/signature", {"signature": signature.raw.hex()}
    )
    return answer
