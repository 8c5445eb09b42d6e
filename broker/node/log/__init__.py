"""A party's own append-only log, kept in its store: grown by works, sealed once a group, guarded by a lock copy."""

from typing import Final

from broker.node.log.appender import Log, Signers
from broker.node.log.failures import (
    LeafTooLarge,
    LockMissing,
    LogDamaged,
    LogForeign,
    LogForked,
    LogKeyEnded,
    LogReadOnly,
    LogRolledBack,
)
from broker.node.log.lock import LockCopy
from broker.node.log.seal import LogSeal
from broker.node.log.tree import get_checkpoint, get_head, get_leaf, get_leaf_hashes, get_leaves, node_reader
from broker.node.log.whole import verify_whole
from broker.node.store.migrations import Migration, load_migrations

LOG_MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.node.log.tables", "log")
"""The set `log`: every store whose companion is a `Log` applies it."""

__all__ = [
    "LOG_MIGRATIONS",
    "LeafTooLarge",
    "LockCopy",
    "LockMissing",
    "Log",
    "LogDamaged",
    "LogForeign",
    "LogForked",
    "LogKeyEnded",
    "LogReadOnly",
    "LogRolledBack",
    "LogSeal",
    "Signers",
    "get_checkpoint",
    "get_head",
    "get_leaf",
    "get_leaf_hashes",
    "get_leaves",
    "node_reader",
    "verify_whole",
]
