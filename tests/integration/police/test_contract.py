"""The contract of every `RecordSource`, kept by the police source on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from agents.runtime.source import PersonName, PersonQuery
from schemas.identifiers import IdentifierKind
from schemas.vocabulary import Category
from tests.contract.records.county_police import STEPFATHER, county, nominals_of, pnc_of, query_for
from tests.contract.records.rig import SourceRig
from tests.contract.records.test_sources import *  # noqa: F403 - the whole suite, run on the rig below
from tests.integration.police.conftest import Force


@pytest.fixture
def rig(broken_force: Force) -> Iterator[SourceRig]:
    """The county's force on PostgreSQL."""
    source = broken_force.open_source()
    stepfather = county().case(STEPFATHER)
    yield SourceRig(
        name="police on PostgreSQL",
        source=source,
        known=query_for(stepfather, numbers={IdentifierKind.PNC: pnc_of(nominals_of(STEPFATHER)[0])}),
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.POLICE_INCIDENT,
        empty=Category.POLICE_MISSING,
        broken=Category.POLICE_DA,
        take_away=broken_force.shut_out,
        snapshot=broken_force.dump,
    )
    source.close()
