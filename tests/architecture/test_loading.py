"""What a program loads when it starts: an agent has the memory and the time for its own agency's code only."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

RECORDS = {
    "schemas.records.social_care",
    "schemas.records.health",
    "schemas.records.education",
    "schemas.records.police",
    "schemas.records.probation",
    "schemas.records.partner",
}
KINDS = ("police", "health", "education", "probation")
AGENT = """
import sys
import agents.{kind}.__main__
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.program import run_agent
load_gatekeeper(None)
print(*sys.modules)
"""
COMMANDS = """
import sys
import agents.{kind}.__main__
print(*sys.modules)
"""
LAUNCHER = """
import sys
import agents.launcher
print(*sys.modules)
"""
HELP = """
import contextlib, io, sys
from broker.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    main(["--help"], standalone_mode=False)
print(*sys.modules)
"""


def loaded(program: str) -> set[str]:
    """The modules that a fresh interpreter holds after running the text."""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def below(modules: set[str], *names: str) -> set[str]:
    return {module for module in modules if any(f"{module}.".startswith(f"{name}.") for name in names)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_loads_nothing_of_the_hub_and_no_record_of_another_agency(kind: str) -> None:
    modules = loaded(AGENT.format(kind=kind))
    of_the_hub = below(modules, "broker") - below(modules, "broker.node") - {"broker"}
    of_others = below(modules, *(f"agents.{other}" for other in KINDS if other != kind))
    assert not of_the_hub | of_others | (modules & RECORDS - {f"schemas.records.{kind}"})


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_loads_a_database_library_or_a_web_server_only_when_it_uses_one(kind: str) -> None:
    assert not below(loaded(AGENT.format(kind=kind)), "sqlalchemy", "psycopg", "uvicorn", "starlette")


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_of_an_agent_loads_neither_the_bus_nor_the_rules(kind: str) -> None:
    assert not below(loaded(COMMANDS.format(kind=kind)), "nats", "cedarpy", "prometheus_client")


def test_finding_out_which_agent_is_meant_loads_no_library() -> None:
    assert not below(loaded(LAUNCHER), "pydantic", "cryptography", "nats", "click", "structlog")


def test_the_help_of_the_hubs_command_loads_no_library_but_its_own() -> None:
    modules = loaded(HELP)
    assert "broker.cli" in modules
    assert not below(modules, "pydantic", "cryptography", "nats", "structlog", "rich")
