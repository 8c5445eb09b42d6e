"""A question that only a person answers, asked alike by every command: on standard error, and no unless it is yes.

What the person is to read is shown before; what did not happen, and what to do next, is said after. Where nobody can be
asked, because standard input has ended or is a pipe, the answer is no. Refuses to know what is asked about.
"""

from __future__ import annotations

import click

from schemas.failures import Failure


class NotConfirmed(Failure):
    """Nobody said yes to what a command asked, or words or fingerprints differ; nothing was done."""

    code = "not_confirmed"


def confirm(question: str, *, otherwise: str, unasked: str | None = None) -> None:
    """Come back only if a person says yes.

    Args:
        otherwise: what was not done, and the next step.
        unasked: that where nobody could be asked, if the next step is another one there.

    Raises:
        NotConfirmed: the answer is no, or there is none.
    """
    try:
        is_yes = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        raise NotConfirmed(unasked or f"nobody answered: {otherwise}") from None
    if not is_yes:
        raise NotConfirmed(otherwise)
