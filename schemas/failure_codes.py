"""What an acknowledgement may say: `committed`, or the code of a failure for which a message was rejected (SPEC 9).

The list is in `failure-codes.txt`, written from the code by `python -m tests.documents`. It is closed because the word
goes from one party's hands into another's store, journal and screen: free, it could carry anything. Owns no failure.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

COMMITTED: Final = "committed"
REJECTED: Final = "rejected"
"""What any other word reads as: a newer party may have codes that this one has never heard of."""


@cache
def listed() -> frozenset[str]:
    """Every word that an acknowledgement may say."""
    text = (resources.files("schemas") / "failure-codes.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("<")) | {COMMITTED, REJECTED}


def listed_code(code: str) -> str:
    """`code`, if it is on the list; `rejected` if it is not."""
    return code if code in listed() else REJECTED
