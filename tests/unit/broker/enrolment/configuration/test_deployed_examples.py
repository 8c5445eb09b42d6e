"""The examples of `deploy/nats/` are what the code writes, and its README names each of them."""

from __future__ import annotations

import re

import pytest

from broker.cli.bus import bus
from broker.enrolment.checks.reading import read_configuration
from tests.support.nats_examples import FOLDER, examples

README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", examples())
def test_an_example_is_what_the_code_writes(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == examples()[name], "python -m tests.support.nats_examples"


@pytest.mark.parametrize("name", examples())
def test_an_example_is_readable_and_named_by_the_readme(name: str) -> None:
    text = examples()[name].replace('  include "account.conf"\n', "")  # an agency's own file, beside its server
    assert read_configuration(text)["server_name"]
    assert name in README


def test_there_is_no_example_that_nobody_writes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*examples(), "README.md"}


def test_every_option_that_the_readme_uses_exists() -> None:
    options = {opt for command in bus.commands.values() for param in command.params for opt in param.opts}
    used = {
        option
        for line in re.findall(r"^ *broker bus (?:.*\\\n)*.*$", README, re.MULTILINE)
        for option in re.findall(r"--[a-z-]+", line)
    }
    assert used
    assert not used - options
