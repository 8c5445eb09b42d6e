"""Which subjects are well formed, and which of them a subscription hears.

Owns NATS's subject grammar, narrowed to printable ASCII. Refuses to know which subjects exist and who may use them:
that is `schemas.subjects`.
"""

from __future__ import annotations

import re
from typing import Final

from broker.node.bus.port import BadSubject

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")

_ACCOUNT: Final = re.compile(r"A[A-Z2-7]{55}")

MAX_SUBJECT_BYTES: Final = 512
"""Ours are under 100 bytes; nats-server cuts a client whose whole control line passes 4,096."""


def check_subject(subject: str) -> None:
    """Require a subject that can be published to: non-empty printable tokens, no wildcard.

    Raises:
        BadSubject: says which rule, without the subject.
    """
    for word in _tokens(subject):
        if "*" in word or ">" in word:
            raise BadSubject("a wildcard in a subject to publish to")


def check_pattern(pattern: str) -> None:
    """Require a subject that can be listened on: `*` stands for one whole token, `>` for all that follow.

    Raises:
        BadSubject: says which rule, without the subject.
    """
    tokens = _tokens(pattern)
    for index, word in enumerate(tokens):
        if word == ">" and index == len(tokens) - 1:
            continue
        if word != "*" and ("*" in word or ">" in word):
            raise BadSubject("a wildcard that is not a whole token, or > before the end")


def hears(pattern: str, subject: str) -> bool:
    """Whether a subscription to `pattern` hears a message on `subject`; both already checked."""
    wanted, given = pattern.split("."), subject.split(".")
    for index, word in enumerate(wanted):
        if word == ">":
            return len(given) > index
        if index >= len(given) or word not in ("*", given[index]):
            return False
    return len(wanted) == len(given)


def is_in_account(pattern: str, account: str) -> bool:
    """Whether `pattern` may be heard in that account: one with another account's token at its second place is not."""
    token = pattern.split(".")[1:2]
    return not token or token[0] == account or _ACCOUNT.fullmatch(token[0]) is None


def _tokens(subject: str) -> list[str]:
    if len(subject) > MAX_SUBJECT_BYTES:
        raise BadSubject(f"over {MAX_SUBJECT_BYTES} bytes")
    tokens = subject.split(".")
    if not all(_TOKEN.fullmatch(token) for token in tokens):
        raise BadSubject("an empty token, or a character that is not printable ASCII")
    return tokens
