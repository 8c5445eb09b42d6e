"""What a scraper is told of a running node besides what is counted: is it connected, its log's size, what ends when.

Instants are told as such (`broker.node.metrics`), so an alert that compares them with the time also notices a program
that no longer tells.
"""

from __future__ import annotations

from typing import Final

import structlog

from broker.node.doctor.expiring import expiries
from broker.node.ground import Ground
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure

_log: Final = structlog.get_logger()

LOOK_EVERY_MS: Final = 10 * 60 * 1000
"""Keys and certificates end after months; ten minutes is how soon a renewal is seen."""


async def tell_for_ever(ground: Ground) -> None:
    """Keep a node's gauges true until cancelled."""
    node, post = ground.metrics.node, ground.post
    node.bus_connected.set_function(lambda: float(post.connected_at is not None))
    node.is_halted.set_function(lambda: float(post.halted.done()))
    log = ground.log
    if log is not None:
        node.log_entries.set_function(lambda: log.head.size)
    while True:
        try:
            tell_endings(ground)
        except Failure as failure:  # a file that is being changed by hand; told again in ten minutes
            _log.warning("endings_not_told", code=failure.code)
        await ground.clock.sleep_until(ground.clock.now() + LOOK_EVERY_MS)


def tell_endings(ground: Ground) -> None:
    """Tell when each key, certificate and JWT of the home ends.

    Raises: HomeInvalid.
    """
    gauge = ground.metrics.node.expires_seconds
    for one in expiries(ground.home):
        gauge.labels(one.label).set(one.ends_at / 1000)
    sealing = [
        one.not_after for one in ground.home.own().keys if one.key.purpose is KeyPurpose.SEAL and one.revoked_at is None
    ]
    if sealing:
        gauge.labels("seal").set(max(sealing) / 1000)
