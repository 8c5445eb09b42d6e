"""A request on its way through this agency: its states as a table, and the row each step writes.

A step and its effects are one transaction. After a restart each job goes on from the state its row says; an answer that
was committed is never made again. Refuses to know how an answer is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from broker.node.clock import DAY_MS
from broker.node.store import Transaction
from schemas.failures import GroundLost, Rejected

REPEATED_AFTER_EXPIRY_MS: Final = 7 * DAY_MS
"""A deed is repeated for a week beyond the expiry: if the hub entered it in time, its proof may be on its way."""


class JobState(StrEnum):
    """Where a request stands in this agency."""

    WAITING = "waiting"
    """Checked, acknowledged, not yet answered."""
    IN_REVIEW = "in-review"
    """Checked and acknowledged; a person of the agency is to say what leaves."""
    ANSWERED = "answered"
    """The answer is made and lies here; the release waits to be entered by the hub."""
    RELEASED = "released"
    """The hub has proved the entry; the answer is on its way to the desk."""
    DONE = "done"
    """The desk has it."""
    ENDED = "ended"
    """The hub ended the exchange, or would not enter the release: nothing leaves."""


class JobEvent(StrEnum):
    """What moves a job on."""

    PUT_IN_REVIEW = "put in review"
    ANSWER_MADE = "answer made"
    RELEASE_PROVED = "release proved"
    DESK_HAS_IT = "desk has it"
    CONCLUDED = "concluded by the hub"


TRANSITIONS: Final[Mapping[tuple[JobState, JobEvent], JobState]] = {
    (JobState.WAITING, JobEvent.PUT_IN_REVIEW): JobState.IN_REVIEW,
    (JobState.IN_REVIEW, JobEvent.ANSWER_MADE): JobState.ANSWERED,
    (JobState.IN_REVIEW, JobEvent.CONCLUDED): JobState.ENDED,
    (JobState.WAITING, JobEvent.ANSWER_MADE): JobState.ANSWERED,
    (JobState.ANSWERED, JobEvent.RELEASE_PROVED): JobState.RELEASED,
    (JobState.RELEASED, JobEvent.DESK_HAS_IT): JobState.DONE,
    (JobState.WAITING, JobEvent.CONCLUDED): JobState.ENDED,
    (JobState.ANSWERED, JobEvent.CONCLUDED): JobState.ENDED,
}


UNANSWERED: Final = frozenset({JobState.WAITING, JobState.IN_REVIEW})
"""Where an answer is still to be made."""
_UNANSWERED: Final = ", ".join(f"'{state.value}'" for state in sorted(UNANSWERED))


class ExchangeReused(Rejected):
    """A second request under an exchange that this agency already knows with another."""

    code = "exchange_reused"


class JobOutOfStep(GroundLost):
    """A job was to be moved in a way that its table does not know."""

    code = "job_out_of_step"


@dataclass(frozen=True, slots=True)
class Job:
    """What the row of a waiting job holds."""

    exchange: str
    deadline_at: int
    expires_at: int
    request: bytes = field(repr=False)
    grant_envelope: bytes = field(repr=False)
    leaves_at: int = 0
    """From when its answer may leave and looks like any other (`slots`), milliseconds UTC; 0: at once, as it is."""
    review_until: int = 0
    """Until when it waits for a person to say what leaves; 0: for nobody."""


@dataclass(frozen=True, slots=True)
class MadeAnswer:
    """An answer as it was committed, byte for byte."""

    state: JobState
    expires_at: int
    envelope: bytes = field(repr=False)
    addendum: bytes = field(repr=False)
    leaf: bytes = field(repr=False)


def acknowledgement_of(tx: Transaction, exchange: str, request_digest: str) -> bytes | None:
    """The leaf with which a request was acknowledged; None if the exchange is new here.

    Raises:
        ExchangeReused: the exchange is known with another request.
    """
    row = tx.execute("SELECT request_digest, acknowledged FROM job WHERE exchange = ?", (exchange,)).fetchone()
    if row is None:
        return None
    if row[0] != request_digest:
        raise ExchangeReused("another request came under the same exchange")
    leaf: bytes = row[1]
    return leaf


def open_job(tx: Transaction, job: Job, request_digest: str, acknowledged: bytes) -> None:
    """Take a request in."""
    tx.execute(
        "INSERT INTO job (exchange, state, deadline_at, expires_at, request, grant_envelope, request_digest,"
        " acknowledged, leaves_at, review_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.exchange,
            JobState.WAITING.value,
            job.deadline_at,
            job.expires_at,
            job.request,
            job.grant_envelope,
            request_digest,
            acknowledged,
            job.leaves_at,
            job.review_until,
        ),
    )
    if job.review_until:
        move(tx, job.exchange, JobEvent.PUT_IN_REVIEW)


def waiting(tx: Transaction) -> list[str]:
    """The exchange of every job that is not answered yet, the one due first in front."""
    rows = tx.execute(f"SELECT exchange FROM job WHERE state IN ({_UNANSWERED}) ORDER BY deadline_at")  # noqa: S608 - states
    return [row[0] for row in rows]


def job_of(tx: Transaction, exchange: str) -> Job | None:
    """A job that is to be answered; None if there is none of that exchange, or it waits no more."""
    row = tx.execute(
        "SELECT exchange, deadline_at, expires_at, request, grant_envelope, leaves_at, review_until FROM job"  # noqa: S608
        f" WHERE exchange = ? AND state IN ({_UNANSWERED})",
        (exchange,),
    ).fetchone()
    return Job(*row) if row else None


def was_reviewed(tx: Transaction, exchange: str) -> bool:
    """Whether a job waits for a person, or did."""
    row = tx.execute("SELECT 1 FROM job WHERE exchange = ? AND review_until > 0", (exchange,)).fetchone()
    return row is not None


def state_of(tx: Transaction, exchange: str) -> JobState | None:
    """Where a job stands; None if there is none."""
    row = tx.execute("SELECT state FROM job WHERE exchange = ?", (exchange,)).fetchone()
    return JobState(row[0]) if row else None


def move(tx: Transaction, exchange: str, event: JobEvent) -> JobState:
    """Move a job on.

    Raises:
        JobOutOfStep: there is no such job, or its table has no such step.
    """
    state = state_of(tx, exchange)
    following = None if state is None else TRANSITIONS.get((state, event))
    if following is None:
        raise JobOutOfStep(f"a job that is {state or 'not there'} cannot go on by '{event}'")
    tx.execute("UPDATE job SET state = ? WHERE exchange = ?", (following.value, exchange))
    return following


def keep_answer(tx: Transaction, exchange: str, made: MadeAnswer, answer_digest: str) -> None:
    """Keep an answer with its release; what was asked is not needed any more and goes."""
    move(tx, exchange, JobEvent.ANSWER_MADE)
    _forget_review(tx, exchange)
    tx.execute(
        "UPDATE job SET answer = ?, answer_digest = ?, addendum = ?, leaf = ?, request = NULL, grant_envelope = NULL"
        " WHERE exchange = ?",
        (made.envelope, answer_digest, made.addendum, made.leaf, exchange),
    )


def answer_of(tx: Transaction, exchange: str) -> MadeAnswer | None:
    """The committed answer of a job, if it has one and it still lies here."""
    row = tx.execute(
        "SELECT state, expires_at, answer, addendum, leaf FROM job WHERE exchange = ? AND answer IS NOT NULL",
        (exchange,),
    ).fetchone()
    return MadeAnswer(JobState(row[0]), *row[1:]) if row else None


def replace_leaf(tx: Transaction, exchange: str, before: bytes, leaf: bytes) -> bool:
    """Keep another leaf of the release that waits to be entered; False if it waits no more."""
    changed = tx.execute(
        "UPDATE job SET leaf = ? WHERE exchange = ? AND state = ? AND leaf = ?",
        (leaf, exchange, JobState.ANSWERED.value, before),
    )
    return changed.rowcount == 1


def replace_acknowledgement(tx: Transaction, exchange: str, leaf: bytes) -> None:
    """Keep another leaf with which the request was acknowledged."""
    tx.execute("UPDATE job SET acknowledged = ? WHERE exchange = ?", (leaf, exchange))


def let_go(tx: Transaction, exchange: str) -> None:
    """Delete what a job holds sealed; the row itself stays, so that the exchange cannot be used twice."""
    _forget_review(tx, exchange)
    tx.execute(
        "UPDATE job SET request = NULL, grant_envelope = NULL, answer = NULL, addendum = NULL WHERE exchange = ?",
        (exchange,),
    )


def _forget_review(tx: Transaction, exchange: str) -> None:
    """What people said of it goes with what was asked; who did what stays in the agency's own log."""
    tx.execute("DELETE FROM review_ruling WHERE exchange = ?", (exchange,))
    tx.execute("DELETE FROM review_press WHERE exchange = ?", (exchange,))


def counts(tx: Transaction) -> dict[str, int]:
    """How many jobs stand in each state."""
    found = dict(tx.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall())
    return {state.value: found.get(state.value, 0) for state in JobState}
