"""Failures carry a code and a disposition."""

from __future__ import annotations

import pytest

from schemas.failures import Away, Disposition, Failure, GroundLost, Rejected


@pytest.mark.parametrize(
    ("kind", "disposition"),
    [(Rejected, Disposition.REJECT), (Away, Disposition.RETRY), (GroundLost, Disposition.HALT)],
)
def test_the_disposition_follows_from_the_kind_of_failure(kind: type[Failure], disposition: Disposition) -> None:
    assert kind("detail").disposition is disposition


def test_the_text_begins_with_the_code_and_ends_with_the_detail() -> None:
    assert str(Rejected("the field")) == "rejected: the field"
    assert str(Rejected()) == "rejected"


def _every(kind: type[Failure]) -> list[type[Failure]]:
    return [kind, *(one for below in kind.__subclasses__() for one in _every(below))]


def test_no_two_failures_of_the_contract_share_a_code() -> None:
    codes = [kind.code for kind in _every(Failure) if kind.__module__.startswith("schemas.")]
    assert len(codes) == len(set(codes))
