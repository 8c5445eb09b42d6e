"""The table of purposes: one line a use, one context a line."""

from __future__ import annotations

from schemas.crypto.purposes import USES, KeyPurpose, context
from schemas.messages.party import STATED


def test_every_purpose_has_a_line_in_the_table() -> None:
    assert USES.keys() == set(KeyPurpose)


def test_no_context_begins_another() -> None:
    contexts = [context(purpose) for purpose in KeyPurpose]
    assert not [(one, other) for one in contexts for other in contexts if one is not other and other.startswith(one)]


def test_a_context_names_product_version_and_purpose() -> None:
    assert context(KeyPurpose.GRANT) == b"needtoknow/v1/grant\x00"


def test_what_no_other_party_needs_is_stated_by_none() -> None:
    stated = frozenset().union(*STATED.values())
    assert set(KeyPurpose) - stated == {
        KeyPurpose.ROOT,
        KeyPurpose.REPLY,
        KeyPurpose.STORAGE,
        KeyPurpose.BUS_OPERATOR,
        KeyPurpose.BUS_OPERATOR_SIGNER,
        KeyPurpose.BUS_SYSTEM,
        KeyPurpose.BUS_SYSTEM_SIGNER,
        KeyPurpose.BUS_SYSTEM_USER,
        KeyPurpose.TLS,
        KeyPurpose.TLS_AUTHORITY,
    }
