"""The root of one of the hub's own parties replaced: the log goes on, and so does the agency, before and after."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from broker.cli import main
from broker.client.hub import Hub
from broker.node.home import Home
from tests.integration.processes.ceremony import repeat_ceremony
from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import Parties
from tests.support.sampling import every

HUB = ("admission", "coordinator", "desk")


def ask(parties: Parties, requests: int) -> list[str]:
    """Ask and be answered."""
    driver = Driver(parties)
    driver.begin(requests)
    driver.allow(requests)
    return driver.finish()


def replace_root(parties: Parties, part: str) -> None:
    """What the hub's administrator does."""
    for name in HUB:
        parties.programs[name].stop()
    done = CliRunner().invoke(main, ["keys", "new-root", "--home", str(parties.hub.path), part])
    assert done.exit_code == 0, done.output
    for name in HUB:
        parties.programs[name].start()
    for name in HUB:
        parties.programs[name].wait_until_connected()


def pinned_root(home: Home, part: str) -> str:
    return home.directory().party(part).root.id


def home_of(hub: Hub, part: str) -> Home:
    return Home(hub.path / part)


@pytest.mark.parametrize("part", every(len(HUB), HUB))
def test_a_hub_party_with_a_new_root_goes_on_and_is_known_by_it_after_the_ceremony(part: str, parties: Parties) -> None:
    before = home_of(parties.hub, part).own().root.id
    exchanges = ask(parties, 1)
    replace_root(parties, part)
    after = home_of(parties.hub, part).own().root.id
    assert after != before
    assert pinned_root(parties.agent, part) == before  # no directory introduces a root
    exchanges += ask(parties, 1)
    repeat_ceremony(parties)
    assert pinned_root(parties.agent, part) == after
    exchanges += ask(parties, 1)
    check_everything(parties, exchanges)
