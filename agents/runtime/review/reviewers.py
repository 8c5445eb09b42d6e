"""Who reviews for this agency: an owner-only file of names, roles and Argon2id codes of passphrases.

Read whenever somebody signs in, so that who is added or taken away counts at once. What a passphrase proves is that
whoever acts knows it; who can write this file can make a reviewer, and it belongs to the agent's own user
(deploy/THREAT-MODEL.md). Refuses to know what a reviewer does.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from pydantic import Field

from broker.node.clock import Clock
from broker.node.home import Home
from broker.node.people_file import read_people, write_people
from broker.node.settings import Section, settings_of
from schemas.failures import Failure, Rejected
from schemas.messages.fields import Line, Slug
from schemas.vocabulary import ReviewRole

_log = structlog.get_logger()

FILE: Final = "reviewers.json"
MIN_PASSPHRASE: Final = 12
"""Three random words; each guess costs 19 MiB and a tenth of a second, and five wrong ones a quarter of an hour."""
MAX_PASSPHRASE: Final = 1024
MOST_WRONG: Final = 5
LOCKED_MS: Final = 15 * 60_000
_MEMORY_KIB: Final = 19_456
_ITERATIONS: Final = 2
_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32


class SignInRefused(Rejected):
    """Whoever wants to act could not show to be a reviewer. Which of the two did not fit is not said."""

    code = "sign_in_refused"


class ReviewerInvalid(Failure):
    """A reviewer cannot be added or taken away as was asked."""

    code = "reviewer_invalid"


class Reviewer(Section):
    """A named person of the agency who reviews."""

    name: Line
    role: ReviewRole
    code: str = Field(repr=False)
    """What Argon2id makes of the passphrase, with its salt and parameters (PHC string format)."""


class _Reviewers(Section):
    reviewers: dict[Slug, Reviewer]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A reviewer who has shown to be one."""

    id: str
    name: str = field(repr=False)
    role: ReviewRole


def load_reviewers(home: Home) -> Mapping[str, Reviewer]:
    """The reviewers of a home by id; none if none was ever added.

    Raises:
        SettingsInvalid: the file does not hold; the text names the key.
    """
    path = home.path / FILE
    return settings_of({"reviewers": read_people(path)}, _Reviewers, str(path)).reviewers


def add_reviewer(home: Home, reviewer: str, name: str, role: ReviewRole, passphrase: str) -> None:
    """Add a reviewer, or give one another passphrase.

    Raises:
        ReviewerInvalid: the passphrase is too short or too long.
        SettingsInvalid: the id or the name is none.
    """
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise ReviewerInvalid(f"a passphrase has {MIN_PASSPHRASE} characters or more: take three words or four")
    derive = Argon2id(
        salt=os.urandom(_SALT_BYTES), length=_KEY_BYTES, iterations=_ITERATIONS, lanes=1, memory_cost=_MEMORY_KIB
    )
    member = {"name": name, "role": role.value, "code": derive.derive_phc_encoded(passphrase.encode())}
    added = settings_of({"reviewers": {reviewer: member}}, _Reviewers, "the reviewer").reviewers
    write_people(home.path / FILE, {**load_reviewers(home), **added})


def remove_reviewer(home: Home, reviewer: str) -> None:
    """Take a reviewer away.

    Raises:
        ReviewerInvalid: there is none of that id.
    """
    known = load_reviewers(home)
    if reviewer not in known:
        raise ReviewerInvalid(f"there is no reviewer {reviewer}; agent review reviewers names them")
    write_people(home.path / FILE, {one: who for one, who in known.items() if one != reviewer})


@dataclass(slots=True)
class Door:
    """Lets reviewers in. Wrong tries are counted for each id, whether or not there is such a reviewer."""

    home: Home
    clock: Clock
    _wrong: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often in a row, and when last."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign_in(self, reviewer: str, passphrase: str) -> SignedIn:
        """Who that is.

        Raises:
            SignInRefused: nobody of that id and passphrase; or too many wrong tries, and for how long it is shut.
        """
        async with self._one_at_a_time:
            count, last_at = self._wrong.get(reviewer, (0, 0))
            if count >= MOST_WRONG and self.clock.now() < last_at + LOCKED_MS:
                raise SignInRefused("too many wrong passphrases; try again in a quarter of an hour")
            known = await asyncio.to_thread(self._proved, reviewer, passphrase)
            if known is None:
                is_new_row = self.clock.now() >= last_at + LOCKED_MS
                if len(self._wrong) >= _MOST_REMEMBERED:
                    self._wrong.clear()
                self._wrong[reviewer] = (1 if is_new_row else count + 1, self.clock.now())
                _log.warning("review_sign_in_refused")
                raise SignInRefused("no reviewer has that name and that passphrase")
            self._wrong.pop(reviewer, None)
            return SignedIn(reviewer, known.name, known.role)

    def still(self, reviewer: str) -> SignedIn | None:
        """A reviewer who was let in before, if there still is such a one."""
        known = load_reviewers(self.home).get(reviewer)
        return None if known is None else SignedIn(reviewer, known.name, known.role)

    def _proved(self, reviewer: str, passphrase: str) -> Reviewer | None:
        known = load_reviewers(self.home).get(reviewer)
        try:
            # Somebody unknown takes as long as somebody known.
            Argon2id.verify_phc_encoded(passphrase[:MAX_PASSPHRASE].encode(), _NOBODY if known is None else known.code)
        except (InvalidKey, ValueError):
            return None
        return known


_NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$wh+hGyqMZESDcuTohxThxw$XfrAmqWhYN5tLRVEMbhAE8JhqTcP/Ws5esMdcyShtF8"
_MOST_REMEMBERED: Final = 4096
