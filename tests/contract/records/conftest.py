"""Every rig of this folder, one test run each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.contract.records as here
from tests.contract.records.rig import SourceRig

_RIGS = sorted(module.name for module in pkgutil.iter_modules(here.__path__) if module.name.startswith("rig_"))


@pytest.fixture(params=_RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SourceRig]:
    """The rig of one implementation; closed after the test."""
    module = importlib.import_module(f"tests.contract.records.{request.param}")
    for made in module.rigs(tmp_path):
        yield made
        made.source.close()
