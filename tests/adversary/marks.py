"""Marks that were put through a run, and every form in which one of them could show."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from tests.support.world import CASE_WORDS, FAMILY, GIVEN, NHS, OFFICER_NAME, REASON

MARKS = {
    "the child's given name": GIVEN,
    "the child's family name": FAMILY,
    "the child's NHS number": NHS,
    "the reason in words": REASON,
    "the officer's name": OFFICER_NAME,
    "the words of a record": CASE_WORDS,
}


def forms(mark: str) -> set[bytes]:
    """A mark as it could stand in bytes: plain, folded, escaped, quoted, in base64 at each alignment, in hex."""
    texts = {mark, mark.lower(), mark.upper()}
    found = {text.encode() for text in texts}
    found |= {text.encode("utf-16-le") for text in texts}
    found |= {json.dumps(mark)[1:-1].encode(), quote(mark).encode(), mark.encode().hex().encode()}
    for shift in range(3):
        # What of the base64 text depends on the mark alone, wherever in a longer text the mark stands.
        encoded = base64.b64encode(bytes(shift) + mark.encode())
        start = 4 if shift else 0
        end = len(encoded) - 4 if (shift + len(mark.encode())) % 3 else len(encoded)
        found.add(encoded[start:end])
        found.add(encoded[start:end].replace(b"+", b"-").replace(b"/", b"_"))
    return {form for form in found if len(form) >= 6}


def shown_in(raw: bytes) -> list[str]:
    """Which marks show in some bytes, in whatever form."""
    return [name for name, mark in MARKS.items() if any(form in raw for form in forms(mark))]
