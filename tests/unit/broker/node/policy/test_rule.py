"""What a rule leaves of a record, and what may stand before it."""

from __future__ import annotations

import pytest

from broker.node.policy import PolicyInvalid
from schemas.vocabulary import Category, Mode
from tests.unit.broker.node.policy.small import named, policy


def test_a_permit_leaves_what_it_keeps_less_what_it_removes() -> None:
    rules = policy(
        '@id("whole") @sentence("x") permit (principal, action, resource);',
        '@id("less") @sentence("x") @remove("notes,marked:free_text") permit (principal, action, resource);',
        '@id("only") @sentence("x") @keep("code, startDate") @remove("code") permit (principal, action, resource);',
    ).rules
    category, mode = Category.PROBATION_REGISTER, Mode.CONTENT
    assert rules["whole"].fields_left(category, mode) == {"code", "description", "notes", "reviewDate", "startDate"}
    assert rules["less"].fields_left(category, mode) == {"code", "description", "reviewDate", "startDate"}
    assert rules["only"].fields_left(category, mode) == {"startDate"}


@pytest.mark.parametrize(
    ("annotations", "body"),
    [
        ('@liftable("break-glass")', "permit (principal, action, resource);"),
        ('@liftable("anything")', "forbid (principal, action, resource);"),
        ("@liftable", "forbid (principal, action, resource);"),
    ],
)
def test_only_a_forbid_is_liftable_and_only_by_a_broken_glass(annotations: str, body: str) -> None:
    with pytest.raises(PolicyInvalid, match="only a forbid is liftable"):
        policy(named(annotations=annotations, body=body))
