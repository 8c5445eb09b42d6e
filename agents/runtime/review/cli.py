"""`agent review ...`: the review desk at a terminal. Thin: each command asks the running program and prints.

What names people is asked with the reviewer's id and passphrase, each time; the passphrase is typed, or read from an
owner-only file, and is never an argument that others of the machine could read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from agents.runtime.review.text import case_text, list_text, printable
from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from broker.node.command_client import CommandClient
from broker.node.home import Home
from broker.node.owner_only import read_owner_only
from schemas.vocabulary import Category, DeclineReason, ReviewRole

_EXCHANGE = click.argument("exchange")


def review_group() -> click.Group:
    """The commands of the review desk."""
    group = click.Group("review", help="The review desk: what a person of this agency reads before it leaves.")
    people = (_reviewers(), _add(), _remove())
    for command in (_list(), _show(), _redact(), _narrow(), _decline(), _confirm(), _clear(), _release(), *people):
        group.add_command(command)
    return group


def _signed(command: Callable[..., None]) -> Callable[..., None]:
    """The options of whoever reviews; the command is handed `by` in their place."""

    @functools.wraps(command)
    def run(*, home: Path, reviewer: str, passphrase_file: Path | None, **given: Any) -> None:
        by = {"reviewer": reviewer, "passphrase": _passphrase(passphrase_file)}
        command(ask=functools.partial(_ask, home, by), **given)

    for option in (
        click.option("--passphrase-file", type=click.Path(path_type=Path), help="Owner-only; else you are asked."),
        click.option("--reviewer", required=True, envvar="NTK_REVIEWER", help="Who you are: a reviewer's id."),
        home_option,
    ):
        run = option(run)
    return run


def _ask(home: Path, by: dict[str, str], command: str, **arguments: Any) -> Any:
    return CommandClient(Home(home).socket_path).ask(command, {**by, **arguments})


def _passphrase(file: Path | None) -> str:
    if file is None:
        return str(click.prompt("Passphrase", hide_input=True, err=True))
    return read_owner_only(file).decode("utf-8", "replace").rstrip("\r\n")


def _list() -> click.Command:
    @click.command("list")
    @home_option
    @json_option
    @explained
    def list_(home: Path, as_json: bool) -> None:
        """What waits for a person, the most pressing first. Names nobody."""
        found = CommandClient(Home(home).socket_path).ask("review-list")
        click.echo(json_text(found) if as_json else list_text(found))

    return list_


def _show() -> click.Command:
    @click.command("show")
    @_EXCHANGE
    @json_option
    @explained
    @_signed
    def show(ask: Callable[..., Any], exchange: str, as_json: bool) -> None:
        """A request: who asks what about whom and why, and what would leave."""
        found = ask("review-show", exchange=exchange)
        click.echo(json_text(found) if as_json else case_text(found))

    return show


def _redact() -> click.Command:
    @click.command("redact")
    @_EXCHANGE
    @click.option("--category", required=True, type=click.Choice([one.value for one in Category]), metavar="CATEGORY")
    @click.option("--field", "fields", multiple=True, help="A field, or marked:free_text, marked:whereabouts ...")
    @click.option("--third-parties", is_flag=True, help="Whatever is about people who are not asked about.")
    @click.option("--mask", is_flag=True, help="Write **REDACTED** over texts; without it they are taken away.")
    @explained
    @_signed
    def redact(
        ask: Callable[..., Any], exchange: str, category: str, fields: Sequence[str], third_parties: bool, mask: bool
    ) -> None:
        """Take fields away, or write over them."""
        words = [*fields, *(["marked:third_party"] if third_parties else [])]
        _act(ask, exchange, act="redact", category=category, words=words, masked=mask)

    return redact


def _narrow() -> click.Command:
    @click.command("narrow")
    @_EXCHANGE
    @click.option("--category", type=click.Choice([one.value for one in Category]), metavar="CATEGORY")
    @click.option("--subject", help="About one subject: the reference that show prints.")
    @click.option("--record", "records", multiple=True, help="A record: the name that show prints; may be repeated.")
    @explained
    @_signed
    def narrow(
        ask: Callable[..., Any], exchange: str, category: str | None, subject: str | None, records: Sequence[str]
    ) -> None:
        """Leave out records, a category or a subject: not needed for what was asked."""
        _act(ask, exchange, act="narrow", category=category, subject=subject, records=list(records))

    return narrow


def _decline() -> click.Command:
    @click.command("decline")
    @_EXCHANGE
    @click.option("--reason", required=True, type=click.Choice([one.value for one in DeclineReason]))
    @click.option("--written", help="The reason in your own words; the hub's officers read it.")
    @click.option("--category", type=click.Choice([one.value for one in Category]), metavar="CATEGORY")
    @click.option("--subject", help="About one subject: the reference that show prints.")
    @explained
    @_signed
    def decline(
        ask: Callable[..., Any],
        exchange: str,
        reason: str,
        written: str | None,
        category: str | None,
        subject: str | None,
    ) -> None:
        """Decline, with a reason; without a category or subject everything that was asked."""
        _act(ask, exchange, act="decline", reason=reason, written=written, category=category, subject=subject)

    return decline


def _confirm() -> click.Command:
    @click.command("confirm")
    @_EXCHANGE
    @click.option("--subject", help="Of several: the reference that show prints.")
    @explained
    @_signed
    def confirm(ask: Callable[..., Any], exchange: str, subject: str | None) -> None:
        """Ask the hub to confirm who is meant; nothing is told of them meanwhile."""
        _act(ask, exchange, act="confirm", subject=subject)

    return confirm


def _clear() -> click.Command:
    @click.command("clear")
    @_EXCHANGE
    @explained
    @_signed
    def clear(ask: Callable[..., Any], exchange: str) -> None:
        """Take back all that was redacted, narrowed, declined or to be confirmed."""
        _act(ask, exchange, act="clear")

    return clear


def _release() -> click.Command:
    @click.command("release")
    @_EXCHANGE
    @click.option("--shown", required=True, help="What you read: the code that show printed last.")
    @explained
    @_signed
    def release(ask: Callable[..., Any], exchange: str, shown: str) -> None:
        """Let the answer leave as it was shown."""
        missing = ask("review-release", exchange=exchange, shown=shown)["missing"]
        if missing:
            click.echo("noted; it takes another person of this agency, who reads and releases the same")
        else:
            click.echo("released; it is looked up once more and leaves unless something changed")

    return release


def _reviewers() -> click.Command:
    @click.command("reviewers")
    @home_option
    @json_option
    @explained
    def reviewers(home: Path, as_json: bool) -> None:
        """Who reviews for this agency."""
        from agents.runtime.review.reviewers import load_reviewers

        known = load_reviewers(Home(home))
        if as_json:
            click.echo(json_text([{"reviewer": one, "name": who.name, "role": who.role} for one, who in known.items()]))
            return
        for one, who in sorted(known.items()):
            click.echo(f"{one:<16} {who.role.value:<22} {printable(who.name)}")

    return reviewers


def _add() -> click.Command:
    @click.command("add-reviewer")
    @home_option
    @click.argument("reviewer")
    @click.option("--name", required=True, help="The person's name.")
    @click.option("--role", required=True, type=click.Choice([one.value for one in ReviewRole]))
    @click.option("--passphrase-file", type=click.Path(path_type=Path), help="Owner-only; else the person types it.")
    @explained
    def add(home: Path, reviewer: str, name: str, role: str, passphrase_file: Path | None) -> None:
        """Add a reviewer, or give one another passphrase; the person types it."""
        from agents.runtime.review.reviewers import add_reviewer

        if passphrase_file is None:
            said = click.prompt("Passphrase, three random words or more", hide_input=True, err=True)
            if said != click.prompt("Again", hide_input=True, err=True):
                raise click.ClickException("the two are not the same")
        else:
            said = _passphrase(passphrase_file)
        add_reviewer(Home(home), reviewer, name, ReviewRole(role), str(said))
        click.echo(f"{reviewer} reviews for this agency as {role}")

    return add


def _remove() -> click.Command:
    @click.command("remove-reviewer")
    @home_option
    @click.argument("reviewer")
    @explained
    def remove(home: Path, reviewer: str) -> None:
        """Take a reviewer away, at once; a word of theirs that waits for a second person does not count any more."""
        from agents.runtime.review.reviewers import remove_reviewer

        remove_reviewer(Home(home), reviewer)
        click.echo(f"{reviewer} reviews no more")

    return remove


def _act(ask: Callable[..., Any], exchange: str, **acting: Any) -> None:
    given = {name: value for name, value in acting.items() if value is not None}
    click.echo(case_text(ask("review-act", acting={"exchange": exchange, **given})))
