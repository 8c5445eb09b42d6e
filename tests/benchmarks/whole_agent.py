"""The product's agent program over a case system in memory: `python -m tests.benchmarks.whole_agent HOME URL`.

Everything is loaded as in life; only the bus is a plaintext one of this machine, named so here, since nobody has
admitted this agent to one with TLS: there is no admission either.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agents.runtime import program
from agents.runtime.agency import Agency
from broker.node import running
from broker.node.bus.access import PLAINTEXT
from broker.node.bus.nats import NatsBus
from broker.node.ground import Ground
from broker.node.home import Home
from broker.node.settings import BusSettings
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind
from tests.benchmarks.memory import source

DEFAULTS = Path(__file__).with_name("agent.toml")


def main(home: str, url: str) -> int:
    """Run until told to stop; gives back the exit status."""

    def plaintext(home: Home, settings: BusSettings, *, name: str) -> NatsBus:
        return NatsBus(url, name=name, access=PLAINTEXT)

    def unadmitted(ground: Ground) -> None:
        assert not ground.directory.of_kind(PartyKind.ADMISSION)

    running.bus_of = plaintext  # type: ignore[attr-defined]
    running._insist_on_admission = unadmitted
    return program.run_agent(Home(Path(home)), Agency(AgencyKind.POLICE, lambda section, path: source(), DEFAULTS))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
