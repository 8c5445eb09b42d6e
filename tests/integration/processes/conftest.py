"""One hub with one agency for each file of tests: real programs, a real NATS server, real stores on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.processes import Parties


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    made = Parties.build(tmp_path_factory.mktemp("parties"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
