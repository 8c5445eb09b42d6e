"""Every metric of every program, declared here and nowhere else; one registry a program.

Labels are words of closed lists only (a message's kind, a failure's code, a category): never an exchange, an officer or
a subject. Instants are exported as such, in seconds since 1970, so that an alert computes the age: a program that
hangs does not then report an age that stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from broker.node.store.port import GroupReport

_PREFIX: Final = "needtoknow"
_COMMIT_BUCKETS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)
"""Seconds: from a disk with a protected cache to one that is failing."""
_GROUP_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SOURCE_BUCKETS: Final = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60)
"""Seconds: case systems answer in anything from a local table's time to a slow web service's."""
_DECISION_BUCKETS: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.02, 0.1)


class NodeMetrics:
    """What every program counts. The post's observer and the store's are methods of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge, histogram = _declare(registry)
        self.messages_received = counter("messages_received", "Messages that passed the generic checks.", "kind")
        self.messages_rejected = counter("messages_rejected", "Messages that did not hold.", "kind", "code")
        self.messages_sent = counter("messages_sent", "Messages handed to the bus for the first time.", "kind")
        self.messages_repeated = counter("messages_repeated", "Messages handed to the bus again.", "kind")
        self.outbox_waiting = gauge("outbox_waiting", "Messages not yet acknowledged.")
        self.bus_connected = gauge("bus_connected", "1 while the bus is connected.")
        self.store_commit_seconds = histogram("store_commit_seconds", "One group, works and commit.", _COMMIT_BUCKETS)
        self.store_group_works = histogram("store_group_works", "Works in one group.", _GROUP_BUCKETS)
        self.store_works_failed = counter("store_works_failed", "Works that raised.")
        self.log_entries = gauge("log_entries", "Entries in the party's own log.")
        self.log_fields_dropped = counter("journal_fields_dropped", "Fields that were kept out of log lines.")
        self.expires_seconds = gauge("expires_timestamp_seconds", "When a key, certificate or JWT ends.", "what")
        self.is_halted = gauge("halted", "1 from when its ground was lost until the program has stopped.")

    def received(self, kind: str) -> None:
        """A message passed the generic checks."""
        self.messages_received.labels(kind).inc()

    def rejected(self, kind: str, code: str) -> None:
        """A message did not hold."""
        self.messages_rejected.labels(kind, code).inc()

    def sent(self, kind: str, *, again: bool) -> None:
        """A message was handed to the bus."""
        (self.messages_repeated if again else self.messages_sent).labels(kind).inc()

    def waiting(self, messages: int) -> None:
        """So many messages wait for their acknowledgement."""
        self.outbox_waiting.set(messages)

    def group_settled(self, report: GroupReport) -> None:
        """The store settled a group; called in the writer's thread."""
        self.store_commit_seconds.observe(report.seconds)
        self.store_group_works.observe(report.works)
        if report.failed:
            self.store_works_failed.inc(report.failed)

    def fields_dropped(self, count: int) -> None:
        """The journal kept fields out of a line."""
        self.log_fields_dropped.inc(count)


class CoordinatorMetrics:
    """What the coordinator counts besides."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge, histogram = _declare(registry)
        self.exchanges = gauge("exchanges", "Exchanges without a conclusion.", "progress")
        self.conclusions = counter("conclusions", "Exchanges concluded.", "conclusion")
        self.decisions = counter("decisions", "Need-to-know decisions.", "decision")
        self.decision_seconds = histogram("decision_seconds", "One decision.", _DECISION_BUCKETS)
        self.policy_lost = gauge("policy_lost", "1 while the kept copy of the policy is damaged; all is refused.")
        self.policy_version = gauge("policy_version", "Number of the policy version in force; 0 while there is none.")
        self.overdue = gauge("exchanges_overdue", "Exchanges past their deadline and without a conclusion.")
        self.glass_broken = counter("glass_broken", "Requests permitted for which a manager broke the glass.")
        self.reviews_open = gauge("glass_reviews_open", "Broken glasses whose review is not closed.")
        self.reviews_overdue = gauge("glass_reviews_overdue", "Of those, reviews that are past their time.")
        self.became_overdue = counter("exchanges_became_overdue", "Exchanges that passed their deadline.")
        self.timer_late_seconds = histogram("timer_late_seconds", "Firing after its due time.", _COMMIT_BUCKETS)


class DeskMetrics:
    """What the desk counts besides."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge, _ = _declare(registry)
        self.enquiries_open = gauge("enquiries_open", "Enquiries whose keys are still held.")
        self.requests_asked = counter("requests_asked", "Requests signed and sent.")
        self.answers_opened = counter("answers_opened", "Answers opened.")
        self.answers_quarantined = counter("answers_quarantined", "Answers of which a part exceeded the grant.")
        self.outcomes = counter("outcomes", "Outcomes in opened answers.", "outcome")
        self.keys_destroyed = counter("keys_destroyed", "Keys destroyed at the end of a retention.")


class AgentMetrics:
    """What an agent counts besides. Outcomes are not among them: a scraper must not learn what was withheld."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge, histogram = _declare(registry)
        self.source_seconds = histogram("record_source_seconds", "One look into the case system.", _SOURCE_BUCKETS)
        self.source_failures = counter("record_source_failures", "Looks that failed.", "code")
        self.tries_capped = counter("match_tries_capped", "Descriptions of one person beyond what an officer may try.")
        self.releases = counter("answers_released", "Sealed answers let go of.")
        self.mirror_entries = gauge("mirror_entries", "Size of the hub's log as mirrored here.", "hub")
        self.alerts_open = gauge("lead_alerts_open", "Alerts that the agency's own lead has not seen.", "kind")
        self.alarms = counter("log_alarms", "Entries fabricated, omitted or rewritten by a hub.", "code")
        self.reviews_waiting = gauge("reviews_waiting", "Requests that wait for a person of this agency.")
        self.review_oldest = gauge(
            "review_oldest_timestamp_seconds",
            "When the oldest request that waits for a person was asked; 0: none waits.",
        )
        self.keys_destroyed = counter("keys_destroyed", "Sealing keys destroyed at the end of their epoch.")


class AdmissionMetrics:
    """What admission counts besides."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge, _ = _declare(registry)
        self.agencies = gauge("agencies", "Agencies that were ever admitted, by how they stand.", "state")
        self.bus_servers = gauge("bus_servers", "Servers of the bus that answer.")
        self.bus_servers_stale = gauge("bus_servers_stale", "Servers that have not confirmed everything.")
        self.strangers_refused = counter("bus_strangers_refused", "Clients refused that belong to no account of ours.")
        self.suspended_by_guard = counter("agencies_suspended", "Agencies suspended without a person.", "reason")


@dataclass(frozen=True, slots=True)
class Metrics:
    """One program's metrics: what every node has, and one party's or more (a small hub may run several)."""

    registry: CollectorRegistry
    node: NodeMetrics

    def exposition(self) -> bytes:
        """The text of `/metrics` (Prometheus text format 0.0.4)."""
        return generate_latest(self.registry)


def build_metrics() -> Metrics:
    """A fresh registry with the node's metrics; the program adds its party's, e.g. `AgentMetrics(metrics.registry)`."""
    registry = CollectorRegistry(auto_describe=False)
    return Metrics(registry, NodeMetrics(registry))


def _declare(
    registry: CollectorRegistry,
) -> tuple[Callable[..., Counter], Callable[..., Gauge], Callable[..., Histogram]]:
    def counter(name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", meaning, labels, registry=registry)

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", meaning, labels, registry=registry)

    def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", meaning, labels, registry=registry, buckets=buckets)

    return counter, gauge, histogram
