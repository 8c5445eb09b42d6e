"""A question to a person: only a yes goes on, and where nobody can be asked the answer is no."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from broker.node.confirming import NotConfirmed, confirm


def asked(said: str, unasked: str | None = None) -> tuple[str, str]:
    """What became of it, and what was printed on standard error."""

    @click.command()
    def ask() -> None:
        try:
            confirm("Go on?", otherwise="nothing was done", unasked=unasked)
        except NotConfirmed as no:
            click.echo(no.detail)
        else:
            click.echo("done")

    result = CliRunner().invoke(ask, input=said)
    assert result.exit_code == 0
    return result.stdout.strip(), result.stderr


@pytest.mark.parametrize("said", ["y\n", "yes\n", "Y\n"])
def test_only_a_yes_goes_on(said: str) -> None:
    assert asked(said)[0] == "done"


@pytest.mark.parametrize("said", ["n\n", "no\n", "\n"])
def test_anything_else_is_no_and_says_what_was_not_done(said: str) -> None:
    assert asked(said)[0] == "nothing was done"


def test_where_nobody_can_be_asked_the_answer_is_no() -> None:
    assert asked("")[0] == "nobody answered: nothing was done"
    assert asked("", "type it with --words")[0] == "type it with --words"


def test_the_question_stands_on_standard_error_so_that_a_program_reads_results_alone() -> None:
    assert "Go on? [y/N]" in asked("y\n")[1]
