"""Every command that a document names is one, with the options that it is given there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from agents.police.__main__ import main as agent
from broker.cli import main as broker
from tests.documents import ROOT

DOCUMENTS = sorted(
    path
    for folder in ("", "agents", "broker", "deploy", "schemas")
    for path in (ROOT / folder).glob("*.md" if folder == "" else "**/*.md")
)
PROGRAMS: dict[str, click.Command] = {"broker": broker, "agent": agent}
TYPED = re.compile(r"`((?:broker|agent) [a-z][^`\n]*)`")


def missing(typed: str) -> str | None:
    """What of a command as it stands in a document there is not."""
    name, *words = re.sub(r"\s*[|;>].*", "", typed.replace("[", " ").replace("]", " ")).split()
    command, context = PROGRAMS[name], click.Context(PROGRAMS[name])
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        found = command.get_command(context, words[0])
        if found is None:
            return words[0]
        command, words = found, words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options.add("--help")
    return next((word for word in words if re.fullmatch(r"--[a-z][a-z-]*", word) and word not in options), None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_that_a_document_names_exist(document: Path) -> None:
    typed = sorted(set(TYPED.findall(document.read_text(encoding="utf-8"))))
    assert {one: what for one in typed if (what := missing(one)) is not None} == {}


def test_a_command_that_is_none_is_found() -> None:
    assert missing("broker policy shout") == "shout"
    assert missing("agent alerts list --loud") == "--loud"
    assert missing("agent policy list --json") is None
