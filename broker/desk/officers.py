"""Who tells the desk to do something: each command is signed by the officer's own command key.

The header's value is four words with a space between: the officer's id, when it was signed (milliseconds UTC), sixteen
random bytes and the signature, both in hexadecimal. The signature covers the canonical JSON of method, path, body
digest and those three. A command is good for a minute and once; the store remembers its random bytes until then.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from broker.desk.trust import Trust
from schemas import canonical
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign, verify
from schemas.envelope import digest
from schemas.failures import Rejected
from schemas.messages.party import KeyNotInForce, Party, StatedKey

HEADER: Final = "officer-command"
"""The HTTP header a command is signed in."""
GOOD_FOR_MS: Final = 60_000
"""A minute either way: both clocks are on the hub's premises."""
_FORM: Final = re.compile(r"([a-z][a-z0-9-]{0,62}) ([1-9][0-9]{0,15}) ([0-9a-f]{32}) ([0-9a-f]{128})")


class CommandUnsigned(Rejected):
    """A command without an officer's signature, or with one that does not hold."""

    code = "command_unsigned"


class CommandUntimely(Rejected):
    """A command signed more than a minute ago, or by a clock that is ahead."""

    code = "command_untimely"


class CommandRepeated(Rejected):
    """A command that was carried out before."""

    code = "command_repeated"


@dataclass(frozen=True, slots=True)
class Commander:
    """An officer who has signed a command."""

    officer: str
    nonce: str
    forget_at: int
    since: int
    """When the key that it was signed with began (milliseconds UTC): the keys of one key file begin together."""


def sign_command(
    key: SigningKey, officer: str, method: str, path: str, body: bytes, *, sent_at: int, nonce: str
) -> str:
    """The header's value for a command; for whoever commands on an officer's behalf.

    Raises:
        WrongPurpose: not a command key.
    """
    signature = sign(key, KeyPurpose.COMMAND, _signed(officer, method, path, body, sent_at, nonce))
    return f"{officer} {sent_at} {nonce} {signature.hex()}"


def check_command(header: str, method: str, path: str, body: bytes, *, trust: Trust, now: int) -> Commander:
    """The officer who signed a command. That it comes once is for the store to say (`register.take_nonce`).

    Raises:
        CommandUnsigned: not signed by a pinned officer's command key.
        CommandUntimely: not signed within a minute of now.
    """
    form = _FORM.fullmatch(header)
    if form is None:
        raise CommandUnsigned(f"the header {HEADER} is missing or malformed")
    officer, sent_at, nonce = form[1], int(form[2]), form[3]
    if abs(now - sent_at) > GOOD_FOR_MS:
        raise CommandUntimely("signed more than a minute from now; check this machine's clock and sign again")
    try:
        statement = _signed(officer, method, path, body, sent_at, nonce)
        key = _signer(trust.officer(officer), statement, bytes.fromhex(form[4]), now)
    except Rejected:
        # Which of them it was would tell a stranger who is an officer here.
        raise CommandUnsigned("no officer of this hub signed that command") from None
    return Commander(officer, nonce, sent_at + GOOD_FOR_MS, key.not_before)


def _signer(officer: Party, statement: bytes, signature: bytes, now: int) -> StatedKey:
    """The officer's command key that signed that: the one in use, or its forerunner while both are good."""
    stated = [one for one in officer.keys if one.key.purpose is KeyPurpose.COMMAND]
    for one in sorted(stated, key=lambda one: one.not_before, reverse=True):
        if one.revoked_at is None and one.in_force(now):
            with suppress(Rejected):
                verify(one.key, KeyPurpose.COMMAND, statement, signature, None)
                return one
    raise KeyNotInForce("no command key of the officer's in force has signed that")


def _signed(officer: str, method: str, path: str, body: bytes, sent_at: int, nonce: str) -> bytes:
    return canonical.encode(
        {
            "officer": officer,
            "method": method,
            "path": path,
            "body_sha256": digest(body),
            "sent_at": sent_at,
            "nonce": nonce,
        }
    )
