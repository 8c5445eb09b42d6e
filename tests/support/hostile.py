"""A bus on which one party has turned hostile: what it says is changed on the way and signed again with its own keys.

The party's program stays as it is; whoever holds its keys could have sent exactly these messages. Repeats of a message
are changed alike, byte for byte, as a sender that has signed once would repeat them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import Ground
from broker.node.home import Home
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, signed, unpack
from schemas.failures import Rejected
from schemas.messages.transport import Acknowledgement, Outer, kind_of, read_outer

Parts = tuple[bytes, ...]
Change = Callable[[Parts], Parts]


@dataclass(frozen=True)
class Carried:
    """A message that was on the bus, and what it was sent for."""

    subject: str
    outer: Outer
    parts: Parts
    about: str
    """Its kind; of an acknowledgement `acknowledgement of <kind>`."""
    exchange: str | None


class HostileHub(MemoryHub):
    """Changes what one sender says of one kind about one exchange; keeps everything as it was really sent."""

    def __init__(self) -> None:
        super().__init__()
        self.carried: list[Carried] = []
        self.hits = 0
        self._hostile: tuple[str, str, str | None, SigningKey, Change] | None = None
        self._changed: dict[bytes, bytes] = {}
        self._sent: dict[str, Outer] = {}

    def turn_hostile(self, home: Home, about: str, exchange: str | None, change: Change) -> None:
        """Have that party's messages of a kind (about one exchange, or any) changed from now on."""
        key = home.signing_key(home.keys_to_read(), KeyPurpose.MESSAGE)
        self._hostile, self.hits = (home.own().id, about, exchange, key, change), 0

    def turn_honest(self) -> None:
        """Change nothing any more."""
        self._hostile = None

    def last(self, sender: str, about: str, exchange: str) -> Carried:
        """The last message of that kind that was really sent about an exchange."""
        found = [
            one
            for one in self.carried
            if (one.outer.sender, one.about, one.exchange) == (sender, about, exchange) and one.parts
        ]
        return found[-1]

    def _carry(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        try:
            outer = read_outer(unpack(payload).header)
        except Rejected:
            super()._carry(sender, subject, payload)
            return
        said = self._note(subject, outer, payload)
        if self._hostile is not None and self._is_meant(said):
            payload = self._change(payload, said, self._hostile[3], self._hostile[4])
        super()._carry(sender, subject, payload)

    def _note(self, subject: str, outer: Outer, payload: bytes) -> Carried:
        self._sent[outer.message_id] = outer
        about, exchange = kind_of(type(outer)), getattr(outer, "exchange", None)
        if isinstance(outer, Acknowledgement):
            first = self._sent.get(outer.acknowledges)
            if first is not None:
                about, exchange = f"acknowledgement of {kind_of(type(first))}", getattr(first, "exchange", None)
        said = Carried(subject, outer, unpack(payload).parts, about, exchange)
        self.carried.append(said)
        return said

    def _is_meant(self, said: Carried) -> bool:
        assert self._hostile is not None
        sender, about, exchange, _, _ = self._hostile
        return (said.outer.sender, said.about) == (sender, about) and exchange in (None, said.exchange)

    def _change(self, payload: bytes, said: Carried, key: SigningKey, change: Change) -> bytes:
        self.hits += 1
        if payload not in self._changed:
            self._changed[payload] = resigned(said.outer, change(said.parts), key)
        return self._changed[payload]


def resigned(outer: Outer, parts: Sequence[bytes], key: SigningKey, **changes: object) -> bytes:
    """A message with other parts (and header fields), signed by whoever holds the sender's message key."""
    named = [digest(part) for part in parts]
    header = type(outer).model_validate({**outer.model_dump(), **changes, "parts": named})
    return signed(header.encode(), [key], parts)


def with_part(place: int, part: bytes) -> Change:
    """Put another part in one place."""
    return lambda parts: (*parts[:place], part, *parts[place + 1 :])


def flipped(place: int) -> Change:
    """Change one bit in the middle of a part."""

    def change(parts: Parts) -> Parts:
        part = parts[place]
        at = len(part) // 2
        return with_part(place, part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :])(parts)

    return change


def without_part(place: int) -> Change:
    """Leave one part out."""
    return lambda parts: (*parts[:place], *parts[place + 1 :])


def rejected(ground: Ground) -> Counter[tuple[str, str]]:
    """How many messages of each kind a party has rejected with each code, by its metrics."""
    counted: Counter[tuple[str, str]] = Counter()
    for family in ground.metrics.node.messages_rejected.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                counted[sample.labels["kind"], sample.labels["code"]] += int(sample.value)
    return counted
