"""The ring: a party's own private keys as a running program uses them, by purpose and time.

Whoever signs asks each time, so that a key that was rotated is out of use everywhere at once. Several keys of one
purpose may be held: the one to use is the newest that every other party's clock already takes for begun. Refuses to
know how keys are made, stated or rotated (`broker.node.rotation`) and where they lie (`broker.node.keystore`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from broker.node.clock import PERMITTED_SKEW_MS, Clock
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.failures import Away
from schemas.messages.party import Party, PartyKind, StatedKey


class KeyEnded(Away):
    """A party has no key of its own in force for what it was to do; nothing is signed until it is rotated."""

    code = "key_ended"


class KeyUnpublished(Away):
    """A key was replaced in an emergency, and no directory names its statement yet: nobody would believe it."""

    code = "key_unpublished"


PUBLISHED_FIRST: Final = frozenset({KeyPurpose.GRANT, KeyPurpose.REQUEST, KeyPurpose.ANSWER, KeyPurpose.DEED})
"""What they sign is refused for good by whoever does not know the key; so they wait until a directory names it."""


class Hand(Protocol):
    """Who signs: a party and its keys."""

    @property
    def me(self) -> Party:
        """The party, by its newest statement."""

    def signing(self, purpose: KeyPurpose) -> SigningKey:
        """The key of that purpose to sign with now.

        Raises:
            KeyEnded: none is in force.
        """

    def held(self, purpose: KeyPurpose, key_id: str) -> SigningKey | None:
        """The signing key of that id, if it is held and was not revoked."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read at one moment: a value, so that another thread never sees half of it."""

    me: Party
    signing: Mapping[KeyPurpose, Sequence[tuple[StatedKey, SigningKey]]] = field(repr=False)
    """The newest first."""
    identities: Mapping[KeyPurpose, Mapping[str, Identity]] = field(repr=False)


class Ring:
    """The keys of one home. Any thread may ask; `reload` is called by whoever changed the home."""

    __slots__ = ("_clock", "_held", "_home", "_keys", "is_published")

    def __init__(self, home: Home, keys: KeyReader, clock: Clock) -> None:
        self._home = home
        self._keys = keys
        self._clock = clock
        self._held = _read(home, keys)
        self.is_published: Callable[[], bool] = lambda: True
        """Whether the hub's directory names the newest statement; set by whoever keeps the directory."""

    @property
    def me(self) -> Party:
        """The party, by its newest statement."""
        return self._held.me

    def reload(self) -> None:
        """Take up what was stated, added and destroyed since.

        Raises:
            HomeInvalid, KeyDamaged, KeyStoreUnsafe: the home cannot be read; what was held stays.
        """
        self._held = _read(self._home, self._keys)

    def signing(self, purpose: KeyPurpose) -> SigningKey:
        """The key of that purpose to sign with now.

        Raises:
            KeyEnded: none is in force; the text says since when and what to run.
            KeyUnpublished: the one in force was stated a moment ago; it can be used in a moment.
        """
        now = self._clock.now()
        held = self._held
        found = [(stated, key) for stated, key in held.signing.get(purpose, ()) if _in_use(stated, now)]
        if not found:
            raise KeyEnded(_ended(held.me, purpose))
        # A key that began a moment ago has not begun yet where a clock is behind.
        ripe = [one for one in found if one[0].not_before + PERMITTED_SKEW_MS <= now]
        if purpose in PUBLISHED_FIRST and not self.is_published():
            # Those that the statement before this one had already.
            stated_at = held.me.statement.issued_at
            ripe = found = [one for one in found if one[0].not_before < stated_at - 2 * PERMITTED_SKEW_MS]
            if not found:
                raise KeyUnpublished(f"the new {purpose.value} key is not in the hub's directory yet")
        return (ripe or found)[0][1]

    def held(self, purpose: KeyPurpose, key_id: str) -> SigningKey | None:
        """The signing key of that id, if it is held and was not revoked."""
        found = (key for stated, key in self._held.signing.get(purpose, ()) if stated.revoked_at is None)
        return next((key for key in found if key.id == key_id), None)

    def live(self, purpose: KeyPurpose) -> list[SigningKey]:
        """Every key of that purpose that is in force now, the newest first: more than one during an overlap."""
        now = self._clock.now()
        return [key for stated, key in self._held.signing.get(purpose, ()) if _in_use(stated, now)]

    def identity(self, purpose: KeyPurpose, key_id: str) -> Identity | None:
        """The private sealing key of that id, if it is held; whether it is in force is not asked."""
        return self._held.identities.get(purpose, {}).get(key_id)

    def identities(self, purpose: KeyPurpose) -> list[Identity]:
        """Every private sealing key of that purpose that is held."""
        return list(self._held.identities.get(purpose, {}).values())


def command_for(kind: PartyKind, purpose: KeyPurpose) -> str:
    """What a person runs to have a key of that purpose replaced."""
    program = "agent keys rotate" if kind is PartyKind.AGENT else f"broker keys rotate {kind.value}"
    return f"{program} {purpose.value}"


def _in_use(stated: StatedKey, now: int) -> bool:
    return stated.revoked_at is None and stated.in_force(now)


def _ended(me: Party, purpose: KeyPurpose) -> str:
    ends = [one.not_after for one in me.keys if one.key.purpose is purpose and one.revoked_at is None]
    since = f"ended at {max(ends)} (milliseconds UTC)" if ends else "was revoked"
    return f"the {purpose.value} key of {me.id} {since}; run: {command_for(me.statement.party_kind, purpose)}"


def _read(home: Home, keys: KeyReader) -> _Held:
    me = home.own()
    signing: dict[KeyPurpose, list[tuple[StatedKey, SigningKey]]] = {}
    identities: dict[KeyPurpose, dict[str, Identity]] = {}
    names = {purpose: set(keys.names(purpose)) for purpose in {one.key.purpose for one in me.keys}}
    # A request may wait for longer than the sealing key it needs is worth stating.
    for name in keys.names(KeyPurpose.SEAL):
        identity = Identity.from_seed(KeyPurpose.SEAL, keys.get(KeyPurpose.SEAL, name))
        identities.setdefault(KeyPurpose.SEAL, {})[name] = identity
    for stated in sorted(me.keys, key=lambda one: (one.not_before, one.epoch), reverse=True):
        purpose = stated.key.purpose
        if stated.key.id not in names[purpose]:
            continue  # destroyed, or another person's: an IG lead keeps the addendum key away from here
        if USES[purpose].signs:
            secret = keys.get(purpose, stated.key.id)
            signing.setdefault(purpose, []).append((stated, SigningKey.from_seed(purpose, secret)))
    return _Held(me, signing, identities)
