"""The authorities that a hub trusts, in admission's home: one that signs, and beside it those that came before or come.

    authority/<name>.pem     each certificate; all of them are trusted by everybody who has renewed since
    authority/issuing        the name of the one that signs

Their private keys are in the key store under `tls-authority` and the same name. A planned change has three steps, none
of which cuts anybody off: the next one is made and trusted; then it signs; then the old one is trusted no more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.enrolment.tls.authority import Authority
from broker.node.home import Home, write_whole
from broker.node.keystore import KeyReader, KeyStore
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure

MAX_TRUSTED: Final = 3
"""One that ended its service, one that signs, one to come: a chain has room for no more."""


class AuthorityMissing(Failure):
    """There is no such authority here, or the one that signs is not named."""

    code = "authority_missing"


class AuthorityInUse(Failure):
    """The authority is the one that signs, or there are as many as can be trusted at once."""

    code = "authority_in_use"


@dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities of one home. Reads its files each time: they are few, and change once in years."""

    home: Home
    keys: KeyReader = field(repr=False)

    def create(self, hosts: Sequence[str], *, now: int) -> str:
        """Make an authority, durable before this returns; it signs only if it is the first. Gives back its name.

        Raises:
            AuthorityInUse: there are as many as can be trusted at once.
            HostInvalid.
        """
        assert isinstance(self.keys, KeyStore)
        names = self.names()
        if len(names) >= MAX_TRUSTED:
            raise AuthorityInUse(f"{MAX_TRUSTED} authorities are trusted already; retire one first")
        made, name = Authority.create(hosts, now=now), os.urandom(8).hex()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.keys.add(KeyPurpose.TLS_AUTHORITY, name, made.key_der())
        write_whole(self._folder / f"{name}.pem", made.pem)
        # A crash before this line leaves an authority that is trusted by those who renew and signs nothing.
        if not names:
            self.sign_with(name)
        return name

    def sign_with(self, name: str) -> None:
        """Have that authority sign from now on.

        Raises:
            AuthorityMissing: there is none of that name.
        """
        if name not in self.names():
            raise AuthorityMissing("there is no authority of that name")
        write_whole(self._folder / "issuing", name.encode("ascii"))

    def retire(self, name: str) -> None:
        """Trust an authority no more, and destroy its key.

        Raises:
            AuthorityInUse: it is the one that signs.
            AuthorityMissing: there is none of that name.
        """
        assert isinstance(self.keys, KeyStore)
        if name == self._issuing():
            raise AuthorityInUse("that authority signs; have another one sign first")
        if name not in self.names():
            raise AuthorityMissing("there is no authority of that name")
        (self._folder / f"{name}.pem").unlink()
        self.keys.destroy(KeyPurpose.TLS_AUTHORITY, name)

    def names(self) -> list[str]:
        """Every authority that is trusted, the one that signs first."""
        found = sorted(path.stem for path in self._folder.glob("*.pem"))
        issuing = self._issuing() if found and (self._folder / "issuing").exists() else None
        return sorted(found, key=lambda name: (name != issuing, name))

    def issuing(self) -> Authority:
        """The authority that signs.

        Raises:
            AuthorityMissing, AuthorityMismatch, KeyMissing.
        """
        return self.named(self._issuing())

    def named(self, name: str) -> Authority:
        """The authority of that name.

        Raises:
            AuthorityMissing, AuthorityMismatch, KeyMissing.
        """
        return Authority.load(self.pem(name), self.keys.get(KeyPurpose.TLS_AUTHORITY, name))

    def trusted(self) -> bytes:
        """The certificates of every authority that is trusted, in PEM, the one that signs first."""
        return b"".join(self.pem(name) for name in self.names())

    @property
    def _folder(self) -> Path:
        return self.home.path / "authority"

    def _issuing(self) -> str:
        try:
            return (self._folder / "issuing").read_text("ascii")
        except FileNotFoundError:
            raise AuthorityMissing(f"{self._folder} names no authority; restore it from the backup") from None

    def pem(self, name: str) -> bytes:
        """The certificate of an authority that is trusted.

        Raises:
            AuthorityMissing: there is none of that name.
        """
        try:
            return (self._folder / f"{name}.pem").read_bytes()
        except FileNotFoundError:
            raise AuthorityMissing(f"{self._folder} lacks an authority; restore it from the backup") from None
