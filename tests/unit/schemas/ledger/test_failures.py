"""Failures: one code a reason, none of them the base's, and nothing in them but the name of a check."""

from __future__ import annotations

from schemas.failures import Disposition
from schemas.ledger import failures
from schemas.ledger.failures import LedgerRejected


def test_every_failure_has_a_code_of_its_own_and_rejects() -> None:
    classes = [one for one in vars(failures).values() if isinstance(one, type) and issubclass(one, LedgerRejected)]
    codes = [one.code for one in classes]
    assert len(set(codes)) == len(codes) == len(LedgerRejected.__subclasses__()) + 1
    assert all(one.disposition is Disposition.REJECT for one in classes)
