"""The doctor on admission's keys that no statement names: how old each is, and whether a rotation is unfinished."""

from __future__ import annotations

from typing import Final

from broker.client.hub import Hub
from broker.enrolment.claims.keys import BusKeys
from broker.enrolment.tls.authorities import Authorities
from broker.node.clock import DAY_MS
from broker.node.doctor.checked import Warned
from schemas.crypto.purposes import KeyPurpose

OLD_DAYS: Final = 400
"""As long as a stated key lives: a year, and a month to get round to it."""
_ROTATED_AS: Final = {
    KeyPurpose.BUS_OPERATOR: "operator",
    KeyPurpose.BUS_OPERATOR_SIGNER: "operator-signer",
    KeyPurpose.BUS_SYSTEM_SIGNER: "system",
    KeyPurpose.BUS_SYSTEM_USER: "system",
}


def check_bus_keys(hub: Hub, now: int) -> str | Warned:
    """No rotation is unfinished, and no key is older than a year and a month.

    Raises: HomeInvalid, if it cannot be told which key is in use.
    """
    keys = hub.admission.keys_to_read()
    held = BusKeys(hub.admission, keys)
    ages = {}
    for purpose, what in _ROTATED_AS.items():
        if held.to_come(purpose) or held.has_former(purpose):
            return Warned(f"a rotation is not finished; go on with: broker bus rotate {what}")
        ages[purpose] = (now - _made_at(hub, purpose, held.in_use(purpose).id)) // DAY_MS
    if len(Authorities(hub.admission, keys).names()) > 1:
        return Warned("a rotation is not finished; go on with: broker bus rotate authority")
    oldest = max(ages, key=lambda purpose: ages[purpose])
    if ages[oldest] > OLD_DAYS:
        return Warned(f"the {oldest} key is {ages[oldest]} days old; run: broker bus rotate {_ROTATED_AS[oldest]}")
    return f"operator and system keys, the oldest of {max(ages[oldest], 0)} days; one authority"


def _made_at(hub: Hub, purpose: KeyPurpose, name: str) -> int:
    # Sealing the keys anew makes them younger than they are; nothing else says when one was made.
    return (hub.admission.path / "keys" / f"{purpose}.{name}.key").stat().st_mtime_ns // 1_000_000
