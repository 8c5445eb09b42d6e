"""What is taken out of the bytes that a connection brings, and that all else comes as if nothing had been."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from broker.node.bus.sieve import Dropped, SiftingParser, sift

FLOODER, OTHER = b"FLOODER", b"OTHER"


def message(token: bytes, payload: bytes, *, reply: bytes = b"", headers: bytes | None = None) -> bytes:
    """As the server says it."""
    words = [b"from." + token + b".desk", b"7", *([reply] if reply else [])]
    if headers is None:
        return b"MSG %b %d\r\n%b\r\n" % (b" ".join(words), len(payload), payload)
    whole = headers + payload
    return b"HMSG %b %d %d\r\n%b\r\n" % (b" ".join(words), len(headers), len(whole), whole)


class Heard:
    """Whoever nats-py's parser tells; and the sieve, shut for the flooder when a test says so."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.is_shut = False
        self.dropped: Counter[bytes] = Counter()

    def shut(self) -> Collection[bytes]:
        return {FLOODER: None} if self.is_shut else {}

    def passed_over(self, token: bytes, messages: int, size: int) -> None:
        self.dropped[token] += messages

    async def _process_msg(self, *what: Any) -> None:
        self.told.append(what)

    async def _process_ping(self) -> None:
        self.told.append(("ping",))

    async def _process_pong(self) -> None:
        self.told.append(("pong",))

    async def _process_err(self, words: str) -> None:
        self.told.append(("err", words))

    async def _process_info(self, what: dict[str, Any]) -> None:
        self.told.append(("info", what))


PAYLOADS = st.binary(max_size=40) | st.sampled_from([message(FLOODER, b"within"), b"\r\n", b"MSG from.FLOODER.desk 7 "])
MESSAGES = st.builds(
    message,
    st.sampled_from([FLOODER, OTHER]),
    PAYLOADS,
    reply=st.sampled_from([b"", b"_INBOX.a.b"]),
    headers=st.sampled_from([None, b"NATS/1.0\r\n\r\n"]),
)
OTHERS = st.sampled_from(
    [b"PING\r\n", b"PONG\r\n", b"-ERR 'from.FLOODER.desk'\r\n", b'INFO {"a":1}\r\n', b"MSG to.FLOODER.in 1 2\r\nhi\r\n"]
)


def heard_of(pieces: list[bytes], changes: list[bool]) -> Heard:
    """What is heard of a stream in such pieces; the flooder is shut, or not, from each piece on."""
    heard = Heard()
    parser = SiftingParser(heard, heard)  # type: ignore[arg-type]

    async def feed() -> None:
        for piece, is_shut in zip(pieces, changes, strict=True):
            heard.is_shut = is_shut
            await parser.parse(piece)

    asyncio.run(feed())
    return heard


def in_pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]


def is_the_flooders(told: tuple[Any, ...]) -> bool:
    return len(told) == 5 and bytes(told[1]).startswith(b"from." + FLOODER)


@given(st.lists(MESSAGES | OTHERS, min_size=1, max_size=12), st.lists(st.integers(0, 2000)), st.integers(0, 2**32))
def test_others_are_heard_in_full_and_in_order_wherever_the_stream_is_cut(
    said: list[bytes], cuts: list[int], changes: int
) -> None:
    pieces = in_pieces(b"".join(said), cuts)
    plain = heard_of(pieces, [False] * len(pieces)).told
    sifted = heard_of(pieces, [bool(changes >> at % 32 & 1) for at in range(len(pieces))])
    assert [one for one in sifted.told if not is_the_flooders(one)] == [
        one for one in plain if not is_the_flooders(one)
    ]
    assert sum(map(is_the_flooders, plain)) == sum(map(is_the_flooders, sifted.told)) + sifted.dropped[FLOODER]


@given(st.lists(MESSAGES | OTHERS, max_size=12))
def test_nothing_of_one_that_is_shut_is_read(said: list[bytes]) -> None:
    heard = heard_of([b"".join(said)], [True]) if said else Heard()
    assert not any(map(is_the_flooders, heard.told))
    assert heard.dropped[OTHER] == 0


def test_what_was_dropped_is_told_by_its_number_and_its_payloads() -> None:
    stream = message(FLOODER, b"12345") + message(OTHER, b"123") + message(FLOODER, b"1", headers=b"NATS/1.0\r\n\r\n")
    kept, dropped = sift(stream, {FLOODER})
    assert kept == message(OTHER, b"123")
    assert dropped == {FLOODER: Dropped(messages=2, size=5 + 13)}


def test_a_message_that_was_begun_before_it_is_shut_is_heard_to_its_end() -> None:
    whole = message(FLOODER, b"a payload in two halves")
    heard = heard_of([whole[:-8], whole[-8:] + whole], [False, True])
    assert [bytes(one[3]) for one in heard.told] == [b"a payload in two halves"]
    assert heard.dropped[FLOODER] == 1


@pytest.mark.parametrize("count", [b"x", b"", b"-4"])
def test_what_no_server_says_is_refused_as_ever(count: bytes) -> None:
    with pytest.raises(ProtocolError):
        heard_of([b"MSG from.FLOODER.desk 7 " + count + b"\r\n" + b"x" * 40 + b"\r\n"], [True])
