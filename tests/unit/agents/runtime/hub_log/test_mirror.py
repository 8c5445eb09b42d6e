"""The mirror alone, on a real store: what it believes, what it asks for, what makes it stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.runtime.agent import AGENT_MIGRATIONS
from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.mirror import Extension, ExtensionMalformed, ForkedLog, HeadAwaited, MirrorGap
from broker.node.log_keys import Proof, ProofUnborne
from broker.node.store import Store
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.checkpoint import SignedTreeHead, TreeHead, open_checkpoint, sign_checkpoint
from schemas.ledger.merkle import leaf_hash, root_from_leaf_hashes
from schemas.ledger.note import Ed25519NoteSigner

ORIGIN = "coordinator.testhub.example/log"
SIGNER = Ed25519NoteSigner(ORIGIN, SigningKey.generate(KeyPurpose.LOG).private)
LEAVES = tuple(leaf_hash(str(number).encode()) for number in range(80))


def head(leaves: tuple[bytes, ...], *, is_live: bool = True) -> Proof[SignedTreeHead]:
    size, root = root_from_leaf_hashes(leaves)
    signed = sign_checkpoint(TreeHead(ORIGIN, size, root), SIGNER)
    return Proof(open_checkpoint(signed, log=SIGNER.verifier_key, origin=ORIGIN), is_live)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.open(tmp_path / "store.sqlite", migrations=AGENT_MIGRATIONS)
    yield opened
    await opened.close()


async def take(store: Store, leaves: tuple[bytes, ...], start: int, hashes: tuple[bytes, ...], at: int = 1) -> None:
    await store.write(lambda tx: mirror.take_head(tx, head(leaves), Extension(start, hashes), at))


async def test_a_mirror_grows_by_extensions_and_holds_what_is_signed(store: Store) -> None:
    await take(store, LEAVES[:3], 0, LEAVES[:3])
    await take(store, LEAVES[:50], 3, LEAVES[3:50])
    assert await store.read(mirror.verify_whole) == 50


async def test_an_extension_that_overlaps_what_is_held_is_taken_from_where_it_is_new(store: Store) -> None:
    await take(store, LEAVES[:10], 0, LEAVES[:10])
    await take(store, LEAVES[:12], 5, LEAVES[5:20])
    assert await store.read(mirror.verify_whole) == 12


async def test_missing_leaves_are_a_gap_and_change_nothing(store: Store) -> None:
    await take(store, LEAVES[:4], 0, LEAVES[:4])
    for start, hashes in ((6, LEAVES[6:9]), (4, LEAVES[4:8]), (0, ())):
        with pytest.raises(MirrorGap):
            await take(store, LEAVES[:9], start, hashes)
    assert await store.read(mirror.verify_whole) == 4


async def test_an_older_checkpoint_of_the_same_history_is_believed(store: Store) -> None:
    await take(store, LEAVES[:20], 0, LEAVES[:20])
    for size in range(20):
        await take(store, LEAVES[:size], 0, ())


async def test_an_older_checkpoint_of_another_history_is_a_fork(store: Store) -> None:
    await take(store, LEAVES[:20], 0, LEAVES[:20])
    with pytest.raises(ForkedLog):
        await take(store, (*LEAVES[:9], leaf_hash(b"x")), 0, ())


async def test_a_newer_checkpoint_that_changes_the_past_is_a_fork(store: Store) -> None:
    await take(store, LEAVES[:20], 0, LEAVES[:20])
    changed = (*LEAVES[:9], leaf_hash(b"x"), *LEAVES[10:21])
    with pytest.raises(ForkedLog):
        await take(store, changed, 20, changed[20:])


async def test_when_a_head_was_seen_never_goes_back(store: Store) -> None:
    await take(store, LEAVES[:3], 0, LEAVES[:3], at=900)
    await take(store, LEAVES[:4], 3, LEAVES[3:4], at=500)
    assert (await store.read(mirror.standing)).seen_at == 900


async def test_numbers_are_held_only_without_a_gap(store: Store) -> None:
    await store.write(lambda tx: mirror.take_entry(tx, 1, b"1", type_="overdue", exchange=None, seq=1))
    await store.write(lambda tx: mirror.take_entry(tx, 3, b"3", type_="overdue", exchange=None, seq=3))
    await store.write(lambda tx: mirror.note_told(tx, 3))
    stands = await store.read(mirror.standing)
    assert (stands.held, stands.told, stands.is_whole) == (1, 3, False)
    await store.write(lambda tx: mirror.take_entry(tx, 2, b"2", type_="overdue", exchange=None, seq=2))
    assert (await store.read(mirror.standing)).is_whole


def test_bytes_that_are_no_extension_are_refused() -> None:
    assert mirror.read_extension(b"") == mirror.NO_EXTENSION
    for raw in (b"1234567", bytes(8) + b"x"):
        with pytest.raises(ExtensionMalformed):
            mirror.read_extension(raw)


@given(st.lists(st.integers(0, 80), min_size=1, max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_whatever_the_steps_the_mirror_is_the_log(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    store = Store.open(tmp_path_factory.mktemp("m") / "store.sqlite", migrations=AGENT_MIGRATIONS)
    try:
        held = 0
        for size in steps:
            await take(store, LEAVES[:size], min(held, size), LEAVES[min(held, size) : size])
            held = max(held, size)
        assert await store.read(mirror.verify_whole) == held
    finally:
        await store.close()


async def test_under_a_dead_key_only_what_a_live_one_has_signed_is_believed(store: Store) -> None:
    await take(store, LEAVES[:10], 0, LEAVES[:10])
    await store.write(lambda tx: mirror.take_head(tx, head(LEAVES[:6], is_live=False), Extension(0, ()), 2))
    with pytest.raises(HeadAwaited):
        await store.write(
            lambda tx: mirror.take_head(tx, head(LEAVES[:12], is_live=False), Extension(10, LEAVES[10:12]), 3)
        )
    assert await store.read(mirror.verify_whole) == 10


@pytest.mark.parametrize("size", [4, 10])
async def test_another_history_is_refused_under_a_dead_key_and_a_fork_under_a_live_one(store: Store, size: int) -> None:
    await take(store, LEAVES[:10], 0, LEAVES[:10])
    other = (*LEAVES[: size - 1], LEAVES[70])
    with pytest.raises(ProofUnborne):
        await store.write(lambda tx: mirror.take_head(tx, head(other, is_live=False), Extension(0, ()), 2))
    assert await store.read(mirror.verify_whole) == 10
    with pytest.raises(ForkedLog):
        await store.write(lambda tx: mirror.take_head(tx, head(other), Extension(0, ()), 2))
