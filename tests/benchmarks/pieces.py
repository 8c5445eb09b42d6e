"""What the parts cost by themselves: log and proofs, decisions, seals, signatures, envelopes."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.node.log import LOG_MIGRATIONS, LockCopy, Log, LogSeal, node_reader
from broker.node.policy import Policy
from broker.node.store import AfterSeal, Store
from broker.node.store.port import Seal, Transaction
from broker.policy.packs import ENGLAND, load_pack
from broker.policy.question import question_of
from broker.policy.terms import Terms
from broker.policy.vocabulary import about, context_of, principal_of, resource_of
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import Sealing, open_sealed, seal
from schemas.crypto.signing import sign, verify
from schemas.envelope import signed, unpack, verify_header
from schemas.ledger.merkle import inclusion_proof, leaf_hash, root_from_leaf_hashes
from schemas.ledger.note import Ed25519NoteSigner, VerifierKey
from schemas.ledger.receipt import verify_receipt
from schemas.messages.fields import encode_base64
from schemas.messages.model import read
from schemas.messages.request import CategoryAsked, RequestHeader, SubjectRef
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)
from tests.benchmarks.tables import Table, microseconds, percentile
from tests.support import rules

_ORIGIN: Final = "bench.example/log"
_LEAF: Final = os.urandom(700)
_GROUP: Final = 10_000


async def measure_log(*, quick: bool) -> list[Table]:
    """Durable entries and receipts a second; proofs and roots of a long log."""
    return [await _append_table(quick), await _long_log_table(10_000 if quick else 100_000)]


async def measure_pieces(*, quick: bool) -> list[Table]:
    """Single operations, in microseconds."""
    times = 200 if quick else 1000
    table = Table("Single operations", ("what", "us", "to hold us"))
    _decisions(table, times)
    _keys(table, times)
    _envelopes(table, times)
    return [table]


async def _append_table(quick: bool) -> Table:
    table = Table("Log: durable, group-committed entries of 700 bytes", ("writers", "entries/s", "with receipts, /s"))
    for writers, count in ((1, 300), (32, 3_000), (256, 12_000)):
        count //= 4 if quick else 1
        rates = [await _append(writers, count, receipts=receipts) for receipts in (False, True)]
        table.add(writers, *rates)
    table.notes.append("to hold at 256: 10,000 entries/s")
    return table


async def _append(writers: int, count: int, *, receipts: bool) -> float:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        log, store, _ = _open_log(Path(folder))

        def work(tx: Transaction) -> AfterSeal[bytes] | bytes:
            index = log.append(tx, _LEAF)

            def receipt(tx: Transaction, seal: Seal) -> bytes:
                return seal.receipt(index)

            return AfterSeal(receipt) if receipts else b""

        async def write_some() -> None:
            for _ in range(count // writers):
                await store.write(work)

        started = time.perf_counter()
        await asyncio.gather(*(write_some() for _ in range(writers)))
        rate = count // writers * writers / (time.perf_counter() - started)
        await store.close()
    return rate


async def _long_log_table(size: int) -> Table:
    table = Table(f"A log of {size:,} entries", ("what", "measured", "to hold"))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        log, store, key = _open_log(Path(folder))
        started = time.perf_counter()
        for _ in range(0, size, _GROUP):
            await store.write(lambda tx: [log.append(tx, os.urandom(64)) for _ in range(_GROUP)] and None)
        table.add("appended in groups of ten thousand, entries/s", size / (time.perf_counter() - started), "")

        def proofs(tx: Transaction) -> tuple[float, float, float]:
            node, sealed = node_reader(tx), log.standing(tx)
            indexes = [int.from_bytes(os.urandom(6), "big") % size for _ in range(500)]
            cold = sorted(_seconds(lambda at=at: inclusion_proof(at, size, node)) for at in indexes)
            receipts = sorted(_seconds(lambda at=at: sealed.receipt(at)) for at in indexes)
            return percentile(cold, 0.5) * 1e6, percentile(cold, 0.99) * 1e6, percentile(receipts, 0.5) * 1e6

        p50, p99, receipt = await store.read(proofs)
        table.add("inclusion proof from the tables, us p50", p50, "1,000 at ten million")
        table.add("inclusion proof from the tables, us p99", p99, "")
        table.add("receipt of any old entry, us p50", receipt, "")
        one = await store.read(lambda tx: _standing_receipt(log.standing(tx)))
        table.add("receipt verified, us", microseconds(lambda _: _verify(one, key), 200), "")
        await store.close()
    leaves = [os.urandom(700) for _ in range(min(size, 100_000))]
    started = time.perf_counter()
    root_from_leaf_hashes(map(leaf_hash, leaves))
    table.add("re-hash and root of a whole log, leaves/s", len(leaves) / (time.perf_counter() - started), "300,000")
    return table


def _open_log(folder: Path) -> tuple[Log, Store, VerifierKey]:
    signer = Ed25519NoteSigner(_ORIGIN, Ed25519PrivateKey.generate())
    log = Log(_ORIGIN, lambda: [signer], LockCopy(folder / "lock"))
    store = Store.open(folder / "store.sqlite", migrations=LOG_MIGRATIONS, companion=log)
    return log, store, signer.verifier_key


def _standing_receipt(sealed: LogSeal) -> bytes:
    return sealed.receipt(sealed.size // 3)


def _verify(receipt: bytes, key: VerifierKey) -> None:
    from schemas.ledger.checkpoint import open_checkpoint

    open_checkpoint.cache_clear()  # a checkpoint never seen before
    verify_receipt(receipt, log=key, origin=_ORIGIN)


def _decisions(table: Table, times: int) -> None:
    pack = load_pack(ENGLAND)
    question = question_of(_header(), AgencyKind.POLICE)
    terms = pack.terms(question)
    if not isinstance(terms, Terms):
        raise AssertionError(f"the question of the benchmark has no footing: {terms}")
    shared = context_of(question, {pack.bases[code].kind for code in terms.conditions})
    context = about(shared, SubjectRole.INDEX_CHILD, Category.POLICE_DA)
    principal, resource = principal_of(question), resource_of(Category.POLICE_DA)
    asked = rules.question(principal, Mode.CONTENT.value, resource, context)
    for count, bound in ((50, "150"), (200, "400")):
        policy = rules.england_rules(count)
        verdict = policy.decide(principal, Mode.CONTENT.value, resource, context)
        if not verdict.allowed:
            raise AssertionError(f"the question of the benchmark is refused: {verdict.rules}")
        _asked(table, policy, asked, times, count, bound)
    remembered = [
        _seconds(lambda: pack.cedar.decide(principal, Mode.CONTENT.value, resource, context)) * 1e6
        for _ in range(times)
    ]
    table.add("the same question again (remembered), p50", percentile(remembered, 0.5), "")
    footings = [_seconds(lambda: pack.terms(question)) * 1e6 for _ in range(times)]
    table.add("bases and agreements of a request, p50", percentile(footings, 0.5), "")


def _asked(table: Table, policy: Policy, asked: rules.Question, times: int, count: int, bound: str) -> None:
    """One question again and again, and others that were never asked; no answer is remembered."""
    book, processor = policy._rulebook, {}
    for way, ask in (("", book.ask), (" (whole way)", book.ask_whole)):
        spent = [_seconds(partial(ask, *asked)) * 1e6 for _ in range(times)]
        table.add(f"a policy decision, {count} rules{way}, p50", percentile(spent, 0.5), bound if not way else "")
        table.add(f"a policy decision, {count} rules{way}, p99", percentile(spent, 0.99), "")
        started = time.process_time()
        for _ in range(times):
            ask(*asked)
        processor[way] = time.process_time() - started
    times_as_much = processor[" (whole way)"] / processor[""]
    table.add(f"whole way, {count} rules: times the processor time (no us)", times_as_much, "")
    drawn = rules.questions_to_a_hub(3 * times)
    for one in drawn[:times]:
        book.ask(*one)
    spent = [_seconds(partial(book.ask, *one)) * 1e6 for one in drawn[times:]]
    table.add(f"questions drawn from all words, never asked before, {count} rules, p50", percentile(spent, 0.5), "")


def _keys(table: Table, times: int) -> None:
    key, identity = SigningKey.generate(KeyPurpose.MESSAGE), Identity.generate(KeyPurpose.SEAL)
    text, header = os.urandom(2048), b"a header"
    signature = sign(key, KeyPurpose.MESSAGE, text)
    table.add("sign 2 kB", microseconds(lambda _: sign(key, KeyPurpose.MESSAGE, text), times), "")
    verified = microseconds(lambda _: verify(key.public, KeyPurpose.MESSAGE, text, signature, None), times)
    table.add("verify 2 kB", verified, "100")
    sealed = seal(Sealing.REQUEST, header, text, identity.public)
    table.add(
        "seal 2 kB (padded to 4 KiB)",
        microseconds(lambda _: seal(Sealing.REQUEST, header, text, identity.public), times),
        "",
    )
    table.add("open it", microseconds(lambda _: open_sealed(Sealing.REQUEST, header, sealed, identity), times), "")


def _envelopes(table: Table, times: int) -> None:
    key = SigningKey.generate(KeyPurpose.REQUEST)
    header = _header().encode()
    envelope = signed(header, [key], [os.urandom(5000), os.urandom(5000)])
    table.add("request header read from its bytes", microseconds(lambda _: read(RequestHeader, header), times), "")
    table.add("envelope unpacked", microseconds(lambda _: unpack(envelope), times), "")

    def whole(_: int) -> None:
        opened = unpack(envelope)
        read(RequestHeader, opened.header)
        verify_header(opened, key.public, KeyPurpose.REQUEST)

    table.add("envelope unpacked, read and verified", microseconds(whole, times), "")


def _seconds(work: object) -> float:
    assert callable(work)
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _header() -> RequestHeader:
    now = 1_795_348_800_000
    ids: dict[str, Any] = dict.fromkeys(
        ("desk_key", "seal_key", "enquiry", "exchange", "message_id", "officer_key"), "0" * 32
    )
    return RequestHeader(
        **ids,
        hub="benchhub",
        log=_ORIGIN,
        agency="county-police",
        seal_epoch=1,
        received_at=now,
        asked_at=now,
        deadline_at=now + 1,
        expires_at=now + 2,
        purpose=Purpose.CHILD_PROTECTION,
        lawful_bases=[LawfulBasis.CA1989_47],
        stage=Stage.ENQUIRY,
        rag=Rag.RED,
        consent=ConsentState.NOT_SOUGHT,
        officer="o-4f2a9c",
        officer_role=OfficerRole.SOCIAL_WORKER,
        subjects=[SubjectRef(ref="1" * 32, role=SubjectRole.INDEX_CHILD)],
        categories=[CategoryAsked(category=Category.POLICE_DA, mode=Mode.CONTENT)],
        reply_key=encode_base64(os.urandom(1216)),
        addendum_digest="0" * 64,
        body_digest="0" * 64,
    )
