"""The store of one party: durable truth, one writer, group commit (DESIGN.md section 6)."""

from broker.node.store.connection import CommitStep, commit_durably
from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import (
    AfterSeal,
    Companion,
    GroupReport,
    MigrationChanged,
    Seal,
    StoreBroken,
    StoreClosed,
    StoreForeign,
    StoreInUse,
    StoreTooNew,
    Transaction,
)
from broker.node.store.sqlite import GROUP_LIMIT, Store

__all__ = [
    "GROUP_LIMIT",
    "AfterSeal",
    "CommitStep",
    "Companion",
    "GroupReport",
    "Migration",
    "MigrationChanged",
    "Seal",
    "Store",
    "StoreBroken",
    "StoreClosed",
    "StoreForeign",
    "StoreInUse",
    "StoreTooNew",
    "Transaction",
    "commit_durably",
    "load_migrations",
]
