"""The commands of an agent, one set for every agency: init, enrol, pin, doctor, run, try, status, log, review.

An error is one line that says what to do, exit status 1; a misused command exits 2. What reads also speaks JSON. Thin:
each command asks a module or the running program and prints. It imports what it needs when it is called: who asks for
the status does not wait for what runs an agent.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from agents.runtime.agency import Agency, SourceOf
from agents.runtime.alerts.group import alerts_group
from agents.runtime.hub_policy.group import policy_group
from agents.runtime.inspection.trial_options import arguments_of, trial_options
from agents.runtime.review.cli import review_group
from agents.runtime.terminal.backup import backup, restore
from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from agents.runtime.terminal.keys import keys_group
from agents.runtime.terminal.leaf import leaf
from agents.runtime.terminal.log import log_group
from broker.node.command_client import CommandClient, NotRunning
from broker.node.confirming import confirm
from broker.node.home import Home
from schemas.failures import Failure
from schemas.vocabulary import AgencyKind

_PASTED: Final = "the block came by standard input, so nobody could be asked; type this again with --words"
"""A terminal can be asked after the block has ended; a pipe cannot."""


class FileUnusable(Failure):
    """A file that cannot be read or written."""

    code = "file_unusable"


def program(kind: AgencyKind, source: SourceOf, defaults: Path) -> click.Group:
    """The commands of an agency's agent.

    Args:
        source: makes the agency's source of its section of `config.toml` and the home's path.
        defaults: the agency's `defaults.toml`, under what the home's `config.toml` says.
    """
    agency = Agency(kind, source, defaults)
    said = f"The agent of a {kind.value} agency: answers a hub from its own records."
    group = click.Group("agent", help=said, context_settings={"help_option_names": ["-h", "--help"]})
    for command in (_init(agency), _enrol(), _pin(), _doctor(agency), _run(agency), _try(agency), _status()):
        group.add_command(command)
    group.add_command(log_group())
    group.add_command(alerts_group())
    group.add_command(keys_group())
    group.add_command(policy_group())
    group.add_command(backup)
    group.add_command(restore)
    group.add_command(leaf)
    group.add_command(review_group())
    return group


def _init(agency: Agency) -> click.Command:
    @click.command("init")
    @home_option
    @click.option("--hub", required=True, help="The hub's name, as its party files say it.")
    @click.option("--agency", "party", required=True, help="This agency's name in that hub: a-z, 0-9 and -.")
    @click.option("--name", required=True, help="The organisation's name, for people.")
    @click.option("--bus", help="Where the bus is, if it is not to be taken from the hub's reply.")
    @click.option(
        "--ig-lead-key",
        type=click.Path(path_type=Path),
        required=True,
        help="Where the information-governance lead's private key is written, for the lead to take away.",
    )
    @click.option(
        "--wrapping",
        help="What private keys are sealed under from the first on: as keys.wrapping of config.toml (deploy/systemd)."
        " Without it, a file beside them.",
    )
    @explained
    def init(
        home: Path, hub: str, party: str, name: str, bus: str | None, ig_lead_key: Path, wrapping: str | None
    ) -> None:
        """Make an agent's directory: keys, public file, configuration."""
        from agents.runtime.home.initialising import NewAgent, initialise

        new = NewAgent(agency.kind, hub, party, name, bus, ig_lead_key, wrapping)
        made = initialise(Home(home), new, now=_now())
        click.echo(f"made {made.id} in {home}")
        click.echo(f"fingerprint  {made.fingerprint}")
        click.echo(f"next: agent enrol --home {home} writes the request that the hub admits this agency by")

    return init


def _enrol() -> click.Command:
    @click.command("enrol")
    @home_option
    @click.argument("reply", required=False, type=click.Path(allow_dash=True, path_type=Path))
    @click.option("--out", type=click.Path(path_type=Path), help="Write the request there, and not as text to paste.")
    @click.option("--words", help="The ten words as the hub read them out; without it you are asked to compare.")
    @click.option("--replace-root", is_flag=True, help="Make a new root key, because the old one is lost or stolen.")
    @explained
    def enrol(home: Path, reply: Path | None, out: Path | None, words: str | None, replace_root: bool) -> None:
        """Write the request to be admitted; or take the hub's REPLY (a file, or - for a pasted block)."""
        from agents.runtime.home.enrolling import accept, request

        if reply is None:
            file = request(Home(home), now=_now(), replaces_root=replace_root).decode("ascii")
            if out is None:
                click.echo(file, nl=False)
            else:
                _write(out, file)
            click.echo(f"hand {out or 'this'} to the hub; nothing in it is secret", err=True)
            click.echo("when its reply has come: agent enrol REPLY, and compare ten words by telephone", err=True)
            return
        enrolled = accept(
            Home(home), _given(reply), now=_now(), compare=functools.partial(_compare_words, words, reply)
        )
        click.echo(f"enrolled {enrolled.agency} at {enrolled.hub}; pinned {', '.join(enrolled.pinned)}")
        click.echo(f"bus {', '.join(enrolled.addresses)}")

    return enrol


def _compare_words(said: str | None, reply: Path, words: Sequence[str]) -> bool:
    click.echo(f"\n  {' '.join(words)}\n", err=True)
    if said is None:
        confirm(
            "Does the hub read out the same ten words?",
            otherwise="nothing was changed; if the words differ, ask the hub for its reply again, by another way",
            unasked=_PASTED if str(reply) == "-" else None,
        )
        return True
    from schemas.messages.words import check_words

    check_words(said, words)
    return True


def _given(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read ({error.strerror})") from None


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, "ascii")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written ({error.strerror})") from None


def _pin() -> click.Command:
    @click.command("pin")
    @home_option
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--fingerprint", help="As it was read out to you; without it you are asked to compare.")
    @explained
    def pin(home: Path, file: Path, fingerprint: str | None) -> None:
        """Believe an officer of the hub from now on, by the officer's party file."""
        from agents.runtime.home.initialising import pin_party

        def compare(name: str, shown: str) -> bool:
            click.echo(f"{name}\n  {shown}", err=True)
            confirm(
                "Is that the fingerprint they read to you?",
                otherwise="nothing was pinned; ring them on a number that you know, and run this again",
                unasked="nobody could be asked and nothing was pinned; say what they read to you as --fingerprint",
            )
            return True

        party = pin_party(Home(home), file, fingerprint, compare)
        with suppress(NotRunning):  # then it is taken up at the start
            CommandClient(Home(home).socket_path).ask("repin")
        click.echo(f"pinned {party.id} ({party.statement.party_kind.value})")

    return pin


def _doctor(agency: Agency) -> click.Command:
    @click.command("doctor")
    @home_option
    @json_option
    def doctor(home: Path, as_json: bool) -> None:
        """Try everything the agent needs, and say what to do about what is missing."""
        from agents.runtime.inspection.doctor import examine
        from broker.node.doctor.checked import as_text

        found = list(examine(Home(home), agency, _now()))
        if as_json:
            click.echo(json_text([one.shown() for one in found]))
        else:
            click.echo(as_text(found))
        sys.exit(0 if all(one.is_well for one in found) else 1)

    return doctor


def _run(agency: Agency) -> click.Command:
    @click.command("run")
    @home_option
    @explained
    def run(home: Path) -> None:
        """Run the agent until it is told to stop."""
        from agents.runtime.program import run_agent

        sys.exit(run_agent(Home(home), agency))

    return run


def _try(agency: Agency) -> click.Command:
    @click.command("try")
    @home_option
    @json_option
    @trial_options
    @explained
    def attempt(home: Path, as_json: bool, **given: Any) -> None:
        """What would be found of one person, and what of it would leave. Nothing is sent and nothing is logged."""
        from agents.runtime.inspection.trying_out import try_out

        tried = try_out(Home(home), agency, arguments_of(given))
        if as_json:
            click.echo(json_text(tried))
            return
        for line in tried["people"]:
            click.echo(line)
        for one in tried["outcomes"]:
            why = " ".join(filter(None, [one["rule"], one["reason"]]))
            click.echo(f"{one['category']:<28} {one['outcome']:<24} {why}".rstrip())
            for fact in one["facts"]:
                click.echo(f"    {json.dumps(fact, ensure_ascii=False, sort_keys=True)}")

    return attempt


def _status() -> click.Command:
    @click.command("status")
    @home_option
    @json_option
    @explained
    def status(home: Path, as_json: bool) -> None:
        """How the running agent stands."""
        from broker.node.backup_catchup import still_waits_for

        stands = CommandClient(Home(home).socket_path).ask("status")
        if as_json:
            click.echo(json_text(stands))
            return
        click.echo(f"{stands['agency']} of {stands['hub']}: {_of_the_bus(stands)}")
        if (waits_for := still_waits_for(stands)) is not None:
            click.echo(f"restored  acts on nothing before it has caught up: {waits_for}")
        click.echo("requests  " + ", ".join(f"{count} {state}" for state, count in stands["jobs"].items()))
        mirror = stands["mirror"]
        click.echo(f"hub's log {mirror['size']} entries, {mirror['held']} of {mirror['told']} about this agency")
        click.echo(f"own log   {stands['own_log'].get('size', 0)} entries")
        for one in stands["discrepancies"]:
            click.echo(f"ALARM     {one['code']} {one['entry']}")

    return status


def _of_the_bus(stands: Mapping[str, Any]) -> str:
    if stands["connected"]:
        return "connected"
    trouble = stands.get("trouble")  # a program of before this command has none
    return "no bus" if trouble is None else f"no bus: {trouble}"


def _now() -> int:
    return time.time_ns() // 1_000_000
