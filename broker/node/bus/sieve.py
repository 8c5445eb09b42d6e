"""A flood taken out of what a connection brings before anything is made of it.

Owns where a message begins and ends among the bytes that nats-py 2.16 reads, so that one of a token that is shut costs
a few look-ups and no more. Refuses to know why a token is shut (`broker.node.bus.flood`), and to look at anything while
none is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from nats.aio.client import Client
from nats.protocol.parser import AWAITING_MSG_PAYLOAD, Parser

_END: Final = b"\r\n"
_KINDS: Final = (b"MSG ", b"HMSG ")
_MESSAGE: Final = re.compile(rb"H?MSG (?:from\.([^.\s]+)\.)?[^\r\n]* (\d+)\r\n")
"""The token, if it comes from an agency, and how many bytes follow; headers count among them."""


class Sieve(Protocol):
    """What is to be dropped, and who is told of it."""

    def shut(self) -> Collection[bytes]:
        """The tokens of which nothing is let in just now."""

    def passed_over(self, token: bytes, messages: int, size: int) -> None:
        """So many messages of that token were dropped, with so many bytes of payload."""


@dataclass(slots=True)
class Dropped:
    """What was dropped of one token."""

    messages: int = 0
    size: int = 0


def sift(raw: bytes, shut: Collection[bytes]) -> tuple[bytes, dict[bytes, Dropped]]:
    """Take out every whole message on `from.<token>.…` of a token that is shut; all else stays as it is.

    `raw` begins where a line of the protocol does, and may end anywhere.
    """
    at, kept_from, kept, dropped = 0, 0, [], dict[bytes, Dropped]()
    while True:
        line = _MESSAGE.match(raw, at)
        if line is None:
            end = raw.find(_END, at)
            if end < 0 or raw.startswith(_KINDS, at):
                break  # not whole yet; or nothing that a server says, which is the parser's to refuse
            at = end + len(_END)
            continue
        token, count = line.groups()
        size = int(count)
        after = line.end() + size + len(_END)
        if after > len(raw):
            break
        if token in shut:
            kept.append(raw[kept_from:at])
            kept_from = after
            found = dropped.get(token) or dropped.setdefault(token, Dropped())
            found.messages += 1
            found.size += size
        at = after
    return b"".join((*kept, raw[kept_from:])), dropped


class SiftingParser(Parser):
    """nats-py's parser, which is given nothing of a token that is shut, but for what it has begun already."""

    def __init__(self, client: Client, sieve: Sieve) -> None:
        super().__init__(client)
        self._sieve = sieve

    async def parse(self, data: bytes = b"") -> None:
        """Take in what was read."""
        shut = self._sieve.shut()
        if shut:
            begun = self.needed + 2 - len(self.buf) if self.state == AWAITING_MSG_PAYLOAD else 0
            if begun > 0:
                await super().parse(data[:begun])
                data = data[begun:]
                if not data:
                    return
            # What it has kept until now is less than a line.
            data, dropped = sift(bytes(self.buf) + data, shut)
            self.buf.clear()
            for token, found in dropped.items():
                self._sieve.passed_over(token, found.messages, found.size)
        await super().parse(data)
