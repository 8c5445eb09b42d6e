"""The doctor on the bus's own keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from broker.cli.doctor_bus_keys import OLD_DAYS, check_bus_keys
from broker.cli.founding import found_hub
from broker.client.hub import Hub
from broker.enrolment.claims.keys import BusKeys
from broker.enrolment.tls.authorities import Authorities
from broker.node.clock import DAY_MS
from broker.node.doctor.checked import Warned
from schemas.crypto.purposes import KeyPurpose
from tests.support.hub_bus import now_ms


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    made = Hub(tmp_path_factory.mktemp("hub") / "hub")
    found_hub(made, hub_id="gwent", name="Gwent", urls=["tls://bus.hub.example:4222"], now=now_ms())
    return made


@contextmanager
def held(hub: Hub) -> Iterator[tuple[BusKeys, Authorities]]:
    with closing(hub.admission.keystore()) as keys:
        yield BusKeys(hub.admission, keys), Authorities(hub.admission, keys)


def test_a_key_that_is_older_than_a_year_and_a_month_is_warned_of(hub: Hub) -> None:
    assert not isinstance(check_bus_keys(hub, now_ms()), Warned)
    old = check_bus_keys(hub, now_ms() + (OLD_DAYS + 2) * DAY_MS)
    assert isinstance(old, Warned)
    assert "broker bus rotate" in old.said


def test_an_unfinished_rotation_is_warned_of_with_the_command_that_goes_on(hub: Hub) -> None:
    with held(hub) as (keys, authorities):
        assert not isinstance(check_bus_keys(hub, now_ms()), Warned)
        keys.add(KeyPurpose.BUS_OPERATOR_SIGNER)
        found = check_bus_keys(hub, now_ms())
        assert isinstance(found, Warned)
        assert "broker bus rotate operator-signer" in found.said
        keys.use(KeyPurpose.BUS_OPERATOR_SIGNER)
        keys.destroy_former(KeyPurpose.BUS_OPERATOR_SIGNER)
        assert isinstance(check_bus_keys(hub, now_ms()), Warned)
        keys.settle(KeyPurpose.BUS_OPERATOR_SIGNER)
        assert not isinstance(check_bus_keys(hub, now_ms()), Warned)
        authorities.create(["bus.hub.example"], now=now_ms())
        found = check_bus_keys(hub, now_ms())
        assert isinstance(found, Warned)
        assert "broker bus rotate authority" in found.said
