"""Admission's keys that no statement names: the bus's operator, its signing key, the system account and its signer.

    bus-keys/<purpose>   the names of the one in use and of one that was in use and is still taken, a line each

Of each purpose one is in use. While it is rotated there is a second: one to come, which the file does not name, or one
that goes, which it does. Without the file the only key there is is the one in use. Refuses to know who takes which key
for good (`broker.enrolment.rotation.operator_keys`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.enrolment.claims.operator import Operator
from broker.node.home import Home, HomeInvalid, write_whole
from broker.node.keystore import KeyReader, KeyStore
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose

OF_THE_BUS: Final = (
    KeyPurpose.BUS_OPERATOR,
    KeyPurpose.BUS_OPERATOR_SIGNER,
    KeyPurpose.BUS_SYSTEM,
    KeyPurpose.BUS_SYSTEM_SIGNER,
    KeyPurpose.BUS_SYSTEM_USER,
)
"""Keys that admission alone holds and that no statement names."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues claims: the operator's signing key, and the hub's account, which agencies import from."""

    signer: SigningKey
    hub: str


@dataclass(frozen=True, slots=True)
class BusKeys:
    """The keys of one home. Reads them each time: they are few, and rotated once in years."""

    home: Home
    keys: KeyReader = field(repr=False)

    def in_use(self, purpose: KeyPurpose) -> SigningKey:
        """The key that is used.

        Raises:
            HomeInvalid: there is none, or it cannot be told which.
        """
        return self._key(purpose, self._named(purpose)[0])

    def former(self, purpose: KeyPurpose) -> list[SigningKey]:
        """The one that was in use before and is still taken; empty but during a rotation."""
        held = self.keys.names(purpose)
        return [self._key(purpose, name) for name in self._named(purpose)[1:] if name in held]

    def to_come(self, purpose: KeyPurpose) -> list[SigningKey]:
        """The one that will be used; empty but during a rotation."""
        named = self._named(purpose)
        return [self._key(purpose, name) for name in self.keys.names(purpose) if name not in named]

    def further(self, purpose: KeyPurpose) -> list[SigningKey]:
        """Whatever is taken beside the one in use."""
        return [*self.to_come(purpose), *self.former(purpose)]

    def operator(self) -> Operator:
        """What the claims of operator and system account name."""
        signer, system_signer = KeyPurpose.BUS_OPERATOR_SIGNER, KeyPurpose.BUS_SYSTEM_SIGNER
        return Operator(
            self.in_use(KeyPurpose.BUS_OPERATOR).public,
            self.in_use(signer).public,
            self.in_use(KeyPurpose.BUS_SYSTEM).public,
            self.in_use(system_signer).public,
            [key.public for key in self.further(signer)],
            [key.public for key in self.further(system_signer)],
        )

    def add(self, purpose: KeyPurpose) -> None:
        """Make the one to come, durable before this returns; again after a crash it makes no other."""
        assert isinstance(self.keys, KeyStore)
        in_use, *former = self._named(purpose)
        # Named first: with two keys and no file nobody could tell which is used.
        self._write(purpose, in_use, *former)
        if not self.to_come(purpose):
            key = SigningKey.generate(purpose)
            self.keys.add(purpose, key.id, key.seed())

    def use(self, purpose: KeyPurpose) -> None:
        """Use the one to come from now on; the other is still taken."""
        in_use, *_ = self._named(purpose)
        (coming,) = self.to_come(purpose)
        self._write(purpose, coming.id, in_use)

    def has_former(self, purpose: KeyPurpose) -> bool:
        """Whether one that was in use is not settled: servers may still take it, wherever its private half is."""
        return len(self._named(purpose)) > 1

    def replaced(self, purpose: KeyPurpose) -> str:
        """The name of the one that a rotation replaces, under way or about to begin."""
        return self._named(purpose)[-1]

    def is_named(self, purpose: KeyPurpose, name: str) -> bool:
        """Whether that one is in use, or not settled."""
        return name in self._named(purpose)

    def destroy_former(self, purpose: KeyPurpose) -> None:
        """Destroy the private half of the one that was in use: it signs no more, and claims name it no more."""
        assert isinstance(self.keys, KeyStore)
        for name in self._named(purpose)[1:]:
            self.keys.destroy(purpose, name)

    def settle(self, purpose: KeyPurpose) -> None:
        """The rotation is over: nothing but the one in use is known any more."""
        self._write(purpose, self._named(purpose)[0])

    def _named(self, purpose: KeyPurpose) -> list[str]:
        held = self.keys.names(purpose)
        try:
            named = self._path(purpose).read_text("ascii").split()
        except FileNotFoundError:
            named = list(held) if len(held) == 1 else []
        if not named or named[0] not in held:
            raise HomeInvalid(f"it cannot be told which {purpose} key is in use; restore {self._path(purpose)}")
        return named

    def _write(self, purpose: KeyPurpose, *names: str) -> None:
        path = self._path(purpose)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, "".join(f"{name}\n" for name in names).encode("ascii"))

    def _path(self, purpose: KeyPurpose) -> Path:
        return self.home.path / "bus-keys" / purpose.value

    def _key(self, purpose: KeyPurpose, name: str) -> SigningKey:
        return SigningKey.from_seed(purpose, self.keys.get(purpose, name))


def issuer_of(admission: Home, keys: KeyReader) -> Issuer:
    """Who issues account claims for this hub.

    Raises:
        HomeInvalid: a key is missing.
    """
    hub = nkey.of(admission.signing_key(keys, KeyPurpose.BUS_ACCOUNT).public)
    return Issuer(BusKeys(admission, keys).in_use(KeyPurpose.BUS_OPERATOR_SIGNER), hub)
