"""The product's agent program over a case system in memory: `python -m tests.benchmarks.whole_agent HOME`."""

from __future__ import annotations

import sys
from pathlib import Path

from agents.runtime.agency import Agency
from agents.runtime.program import run_agent
from broker.node.home import Home
from schemas.vocabulary import AgencyKind
from tests.benchmarks.memory import source

DEFAULTS = Path(__file__).with_name("agent.toml")


def main(home: str) -> int:
    """Run until told to stop; gives back the exit status."""
    return run_agent(Home(Path(home)), Agency(AgencyKind.POLICE, lambda section, path: source(), DEFAULTS))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
