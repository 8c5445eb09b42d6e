"""Sealing a key store under another wrapping key, or under a fresh one of the same sort, with the program stopped.

The configuration says where to, the key store knows where from. Whenever this dies, either every key opens as before or
every key opens as asked; the next start, or the same command again, clears up (broker.node.keystore).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from broker.node.keystore import KeyStore
from broker.node.wrapping_choice import FILE, choice_of, configured_wrapping
from schemas.failures import Failure

STAGED = ".staged"


class NothingToRewrap(Failure):
    """The keys are sealed as asked already."""

    code = "nothing_to_rewrap"


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What was done: from which wrapping key to which, how many keys, and what a person is to destroy now."""

    before: str
    after: str
    keys: int
    left: str | None

    @property
    def said(self) -> str:
        """In words, with what remains to be done."""
        first = f"{self.keys} keys were sealed under {self.before}, and are under {self.after} now"
        return first if self.left is None else f"{first}\nnext: {self.left}"


def rewrap_home(home: Path) -> Rewrapped:
    """Seal the keys of a party's home as its `config.toml` says.

    Raises: as `rewrap`.
    """
    return rewrap(home / "keys", None, configured_wrapping(home / "config.toml") or FILE)


def rewrap(directory: Path, before: str | None, after: str) -> Rewrapped:
    """Seal every key in a key store under another wrapping key.

    Args:
        before: what they are sealed under, in words of `keys.wrapping`; None takes what the key store says.
        after: what they are to be sealed under. For `file`, `keyring` and `passphrase-file` it may be the same: a
            fresh key is made then.

    Raises:
        NothingToRewrap, SettingsInvalid; KeyStoreInUse, while the program runs; KeyStoreUnsafe, KeyDamaged,
            OsKeyStoreAway.
    """
    choice = choice_of(after)
    with closing(KeyStore.open(directory, configured=before)) as keys:
        found = keys.wrapped_by
        if found == after and choice.companion is None:
            raise NothingToRewrap(f"the keys are sealed under {after} already; for a fresh one give it another name")
        wrapping = choice.make(directory, STAGED)
        count = keys.rewrap(wrapping, companion=choice.companion)
    return Rewrapped(found, after, count, _left(found))


def _left(before: str) -> str | None:
    kind, _, argument = before.partition(":")
    if kind == "systemd-credential":
        return f"destroy the credential {argument} (/etc/credstore.encrypted) and its line in the unit"
    if kind == "keyring":
        return "remove the old entry of the service needtoknow from the operating system's key store"
    if argument and kind in {"file", "passphrase-file"}:
        return f"destroy {argument}: shred --remove {argument}"
    return None
