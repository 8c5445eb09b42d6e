"""Grants and rulings: codes only, and signed by the one key that may."""

from __future__ import annotations

import pytest

from schemas.crypto.failures import SignatureInvalid, SignatureMissing
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, signed, unpack, verify_header
from schemas.messages.grant import Grant
from schemas.messages.model import FieldInvalid, read
from schemas.vectors.parties import COORDINATOR, DESK, signing_key
from schemas.vectors.samples import grant, grant_frame

KEY = signing_key(COORDINATOR, KeyPurpose.GRANT)


def test_a_grant_is_verified_by_the_coordinators_grant_key() -> None:
    verified = verify_header(unpack(grant_frame()), KEY.public, KeyPurpose.GRANT)
    assert read(Grant, verified.raw) == grant()


@pytest.mark.parametrize("purpose", [KeyPurpose.MESSAGE, KeyPurpose.DEED])
def test_no_other_key_of_the_coordinator_grants(purpose: KeyPurpose) -> None:
    frame = signed(grant().encode(), [signing_key(COORDINATOR, purpose)])
    with pytest.raises(SignatureMissing):
        verify_header(unpack(frame), KEY.public, KeyPurpose.GRANT)


def test_a_request_signature_is_no_grant() -> None:
    by_desk = unpack(signed(grant().encode(), [signing_key(DESK, KeyPurpose.REQUEST)])).signatures[0]
    claimed = pack(grant().encode(), [type(by_desk)(KEY.id, by_desk.raw)])
    with pytest.raises(SignatureInvalid):
        verify_header(unpack(claimed), KEY.public, KeyPurpose.GRANT)


@pytest.mark.parametrize("field", ["hub", "agency", "exchange", "request_digest", "policy_digest", "rules", "scope"])
def test_every_field_of_a_grant_is_bound_by_the_signature(field: str) -> None:
    changed = {
        "hub": "other-hub",
        "agency": "other-agency",
        "exchange": "00" * 16,
        "request_digest": "00" * 32,
        "policy_digest": "00" * 32,
        "rules": ["other"],
        "scope": [grant().scope[0].model_copy(update={"fields": ["Date", "RiskGrade", "ReturnedOn"]})],
    }
    widened = grant().model_copy(update={field: changed[field]}).encode()
    with pytest.raises(SignatureInvalid):
        verify_header(unpack(pack(widened, unpack(grant_frame()).signatures)), KEY.public, KeyPurpose.GRANT)


def test_a_grant_is_not_over_before_it_begins() -> None:
    with pytest.raises(FieldInvalid):
        read(Grant, grant().model_copy(update={"expires_at": grant().not_before}).encode())
