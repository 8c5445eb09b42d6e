"""The log and its addenda as the lead's program reads them from the coordinator: pages, and what a key opens.

A question to the coordinator costs more than what it brings, so much is asked for at once, and no more is held than
that. Knows nothing of persons: whom an addendum is about is `searching`'s.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeVar

from broker.node.addenda import open_for_lead
from schemas.crypto.keys import Identity
from schemas.failures import Failure, Rejected
from schemas.messages.addendum import NotAReader
from schemas.messages.model import Message, read

Ask = Callable[[str, Mapping[str, Any]], Any]
"""A command of the running coordinator."""
M = TypeVar("M", bound=Message)

PAGE: Final = 1_000
"""Entries asked for at once; the coordinator gives no more."""
ADDENDA: Final = 250
"""Addenda asked for at once; the coordinator takes no more."""
MAX_ADDENDUM_BYTES: Final = 768 * 1024


class AnswerShort(Failure):
    """The coordinator did not say of an addendum whether it is there."""

    code = "answer_short"


def log_pages(ask: Ask, stop: int, types: AbstractSet[str]) -> Iterator[list[Mapping[str, Any]]]:
    """The entries of these types up to a size of the log, in pages."""
    for start in range(0, stop, PAGE):
        page = ask("log", {"start": start, "limit": min(PAGE, stop - start)})["entries"]
        yield [one for one in page if one["entry"]["type"] in types]


def addenda(ask: Ask, digests: Sequence[str]) -> Iterator[bytes | None]:
    """The sealed addendum of each digest, in their order; None where it was erased.

    Raises:
        AnswerShort: an answer of the coordinator has none of them.
    """
    at = 0
    while at < len(digests):
        asked = list(dict.fromkeys(digests[at : at + ADDENDA]))
        given = ask("addenda", {"sha256": asked})["addenda"]
        if digests[at] not in given:
            raise AnswerShort("the coordinator gave none of the addenda that were asked for")
        # As many as one answer holds, one at least: what is left of them is asked for again.
        for named in digests[at : at + ADDENDA]:
            if named not in given:
                break
            yield None if given[named] is None else b64decode(given[named])
            at += 1


def told_to(keys: Sequence[Identity], sealed: bytes, named: str, model: type[M]) -> M | None:
    """What an addendum says to one of the keys; nothing if it is sealed to none of them, or does not hold."""
    for key in keys:
        try:
            return read(model, open_for_lead(sealed, named, key), limit_bytes=MAX_ADDENDUM_BYTES)
        except NotAReader:
            continue
        except Rejected:
            break  # what somebody made badly must not keep everybody's extract from being made
    return None
