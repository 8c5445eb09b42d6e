"""`broker officer ...`: the officer makes the officer's keys; the hub admits the public file and a role.

`add` pins the file at desk and coordinator and admits it there. Each agency pins it as well (`agent pin`): an agency
answers nobody whose key it was not handed.
"""

from __future__ import annotations

from pathlib import Path

import click

from broker.cli.confirming import pin_at, vouched
from broker.cli.options import NameParam, home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.desk.cards import OfficerCard, add_card, load_cards, remove_card
from broker.enrolment.at_rest.officers import make_officer, renew_officer
from broker.node.clock import SystemClock
from schemas.failures import Failure
from schemas.messages.party import PartyKind, read_party
from schemas.vocabulary import OfficerRole


class NotAnOfficer(Failure):
    """A file or a name that is no officer's."""

    code = "not_an_officer"


@click.group()
def officer() -> None:
    """Officers of the hub."""


@officer.command()
@click.option("--hub-id", required=True, type=NameParam(), help="The hub's short name.")
@click.option("--role", required=True, type=click.Choice([str(role) for role in OfficerRole]))
@click.option("--position", required=True, help="What you are, for example 'Duty social worker'; not your name.")
@click.option("--key", "key_path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New key file.")
@click.option(
    "--file", "party_path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New public file."
)
@json_option
@explained
def new(hub_id: str, role: str, position: str, key_path: Path, party_path: Path, as_json: bool) -> None:
    """Make your own keys: one file to keep, one to hand to the hub and to each agency."""
    party = make_officer(
        key_path,
        party_path,
        hub=hub_id,
        role=OfficerRole(role),
        position=position,
        now=SystemClock().now(),
    )
    text = f"{party.id}  fingerprint {party.fingerprint}\nKeep {key_path}; hand on {party_path}."
    show({"officer": party.id, "fingerprint": party.fingerprint}, text, as_json=as_json)


@officer.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="The officer's name, as agencies are told it with each request.")
@click.option("--contact", help="How an agency reaches the officer.")
@click.option("--fingerprint", help="What the officer read to you; without it you are asked to compare.")
@json_option
@explained
def add(hub: Hub, file: Path, name: str, contact: str | None, fingerprint: str | None, as_json: bool) -> None:
    """Admit an officer. The coordinator must be running: the admission is an entry of the log."""
    party = vouched(file, fingerprint)
    if party.statement.party_kind is not PartyKind.OFFICER:
        raise NotAnOfficer(f"{party.id} is not an officer ({party.statement.party_kind}); see: broker agency admit")
    hub.ask_coordinator("status")  # before anything is pinned: an officer pinned but not admitted would only confuse
    pin_at([hub.coordinator, hub.desk], party)
    add_card(hub.desk, party.id, OfficerCard(name=name, position=party.statement.name, contact=contact))
    hub.tell_both("repin")
    hub.ask_coordinator("admit-officer", {"officer": party.id})
    show({"officer": party.id}, f"admitted {party.id}; hand {file.name} to each agency too", as_json=as_json)


@officer.command()
@click.option(
    "--key", "key_path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Your key file."
)
@click.option("--new-key", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New key file.")
@click.option(
    "--file", "party_path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Public file."
)
@click.option("--emergency", is_flag=True, help="The old keys are dead at once: lost, stolen or suspected to be.")
@json_option
@explained
def renew(key_path: Path, new_key: Path, party_path: Path, emergency: bool, as_json: bool) -> None:
    """Give yourself new keys; your fingerprint stays. Hand the public file to the hub and each agency."""
    party = renew_officer(key_path, new_key, party_path, emergency=emergency, now=SystemClock().now())
    text = f"{party.id}  keep {new_key} in place of {key_path}; hand on {party_path}: broker officer take, agent pin"
    show({"officer": party.id, "serial": party.statement.serial}, text, as_json=as_json)


@officer.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@explained
def take(hub: Hub, file: Path, as_json: bool) -> None:
    """Take an officer's newer public file; the root was pinned when the officer was added."""
    party = read_party(file.read_bytes())
    if party.statement.party_kind is not PartyKind.OFFICER or party.id not in hub.coordinator.directory().parties:
        raise NotAnOfficer(f"{party.id} was not added here before; see: broker officer add")
    for home in (hub.coordinator, hub.desk):
        home.pin(party.raw)
    hub.tell_both("repin")
    show({"officer": party.id}, f"took the newer file of {party.id}; hand it to each agency too", as_json=as_json)


@officer.command("list")
@home_option
@json_option
@explained
def list_(hub: Hub, as_json: bool) -> None:
    """Who may ask."""
    cards = load_cards(hub.desk)
    directory = hub.coordinator.directory()
    found = []
    for one in hub.ask_coordinator("officers")["officers"]:
        card, party = cards.get(one["officer"]), directory.parties.get(one["officer"])
        found.append(
            {
                **one,
                "name": card.name if card else None,
                "role": party.statement.officer_role if party else None,
                "position": party.statement.name if party else None,
            }
        )
    lines = [
        f"{one['officer']:14} {one['role'] or '':20} {one['name'] or ''} ({one['position'] or ''})" for one in found
    ]
    show(found, "\n".join(lines) or "no officers", as_json=as_json)


@officer.command()
@home_option
@click.argument("officer_id", metavar="OFFICER_ID")
@json_option
@explained
def remove(hub: Hub, officer_id: str, as_json: bool) -> None:
    """Remove an officer: nothing this officer signs is taken in from here on."""
    if officer_id not in {one["officer"] for one in hub.ask_coordinator("officers")["officers"]}:
        raise NotAnOfficer(f"no officer {officer_id} is admitted; see: broker officer list")
    hub.ask_coordinator("remove-officer", {"officer": officer_id})
    for home in (hub.coordinator, hub.desk):
        home.unpin(officer_id)
    remove_card(hub.desk, officer_id)
    hub.tell_both("repin")
    show({"officer": officer_id}, f"removed {officer_id}; tell each agency to remove the file too", as_json=as_json)
