"""Why a party's own log refuses: a leaf too large, or a state it must not go on from."""

from __future__ import annotations

from schemas.failures import Away, GroundLost, Rejected


class LeafTooLarge(Rejected):
    """An entry above the limit of DESIGN.md section 9."""

    code = "leaf_too_large"


class LogKeyEnded(Away):
    """The log has no key in force; nothing is entered until it is rotated."""

    code = "log_key_ended"


class LogDamaged(GroundLost):
    """The tables of the log do not agree with each other."""

    code = "log_damaged"


class LogForeign(GroundLost):
    """The store holds the log of another origin than the configured one."""

    code = "log_foreign"


class LogRolledBack(GroundLost):
    """The store is older than the lock copy: it was restored from a backup, or the disk lost what it said it kept."""

    code = "log_rolled_back"


class LogForked(GroundLost):
    """The store's log does not begin with the tree that the lock copy remembers: it is another history."""

    code = "log_forked"


class LockMissing(GroundLost):
    """The log has entries and there is no readable lock copy to compare it with."""

    code = "lock_missing"


class LogReadOnly(GroundLost):
    """The log was opened for looking at, not for going on."""

    code = "log_read_only"
