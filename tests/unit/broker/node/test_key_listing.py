"""What is said of a key that was replaced: what it is worth now, and what remains to be done."""

from __future__ import annotations

from broker.node.key_listing import said_of
from schemas.crypto.purposes import KeyPurpose


def said(purpose: KeyPurpose, *, emergency: bool) -> str:
    return said_of({"purpose": purpose.value, "party": "police", "running": True}, emergency=emergency)


def test_a_planned_key_is_used_in_an_hour_and_an_emergencys_at_once() -> None:
    assert "used from an hour from now" in said(KeyPurpose.DEED, emergency=False)
    assert "revoked the deed key of police" in said(KeyPurpose.DEED, emergency=True)


def test_nobody_is_told_that_a_certificate_was_revoked() -> None:
    assert "as soon as its certificate has come" in said(KeyPurpose.TLS, emergency=False)
    assert "revoked" not in said(KeyPurpose.TLS, emergency=True)
    assert "bus-user with --emergency" in said(KeyPurpose.TLS, emergency=True)
