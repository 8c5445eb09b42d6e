"""The ten words that two people read to each other before an agency is admitted (SPEC 10.4).

They follow from the whole exchange, the hub's keys included: 110 bits, so that nobody can make another exchange to fit
them. The list is BIP-39's English one, whose words differ in their first four letters.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import cache
from typing import Final

from mnemonic import Mnemonic

from schemas.failures import Rejected
from schemas.messages.admission import AdmissionReply
from schemas.messages.enrolment import EnrolmentRequest

WORDS: Final = 10
BITS_A_WORD: Final = 11
_CONTEXT: Final = b"needtoknow/v1/ceremony\x00"


class WordsDiffer(Rejected):
    """The words are not those of the other side: somebody stands between, or the files are of another ceremony."""

    code = "words_differ"


def ceremony_words(request: EnrolmentRequest, reply: AdmissionReply) -> tuple[str, ...]:
    """The words of a ceremony, the same for whoever has the same two files."""
    return words_of(request.digest, reply.digest)


def words_of(request_digest: str, reply_digest: str) -> tuple[str, ...]:
    """The words that follow from the digest of a request's frame and that of a reply's header, in hexadecimal."""
    exchange = bytes.fromhex(request_digest) + bytes.fromhex(reply_digest)
    bits = int.from_bytes(hashlib.sha256(_CONTEXT + exchange).digest(), "big") >> (256 - WORDS * BITS_A_WORD)
    places = range((WORDS - 1) * BITS_A_WORD, -1, -BITS_A_WORD)
    return tuple(_list()[bits >> place & (1 << BITS_A_WORD) - 1] for place in places)


def check_words(said: str, expected: Sequence[str]) -> None:
    """That what a person typed are these words, in any letters and spacing.

    Raises:
        WordsDiffer: they are others.
    """
    if not hmac.compare_digest(" ".join(said.lower().split()).encode(), " ".join(expected).encode()):
        raise WordsDiffer("not the words of this exchange; compare again, and if they still differ admit nobody")


@cache
def _list() -> tuple[str, ...]:
    return tuple(Mnemonic("english").wordlist)
