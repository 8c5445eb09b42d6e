"""Well-formed documents to damage, and what "nothing but a named failure" means."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from schemas.ledger.failures import LedgerRejected
from schemas.vectors.ledger_log import flipped


def damaged(*documents: bytes) -> st.SearchStrategy[bytes]:
    """Return a strategy of arbitrary bytes and of these documents cut, spliced, or with one bit changed."""
    whole = st.sampled_from(documents)
    places = st.integers(0, max(map(len, documents)))
    cut = st.builds(lambda raw, at: raw[:at], whole, places)
    spliced = st.builds(lambda raw, at, middle, to: raw[:at] + middle + raw[to:], whole, places, st.binary(), places)
    one_bit = st.builds(lambda raw, at: flipped(raw, at), whole, places)
    return st.one_of(st.binary(max_size=300), cut, spliced, one_bit)


def reads_or_refuses(read: Callable[[bytes], bytes], raw: bytes) -> None:
    """Check that `read` (parse and format again) gives the same bytes back or fails with a named failure."""
    try:
        again = read(raw)
    except LedgerRejected:
        return
    assert again == raw
