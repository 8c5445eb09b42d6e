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


def test_no_party_states_a_root_a_reply_or_a_storage_key() -> None:
    stated = frozenset().union(*STATED.values())
    assert set(KeyPurpose) - stated == {KeyPurpose.ROOT, KeyPurpose.REPLY, KeyPurpose.STORAGE}
