"""The ceremony once more, for an agency that is admitted: after a new root, its own or the hub's, or a long absence."""

from __future__ import annotations

from broker.cli.agency import settle_pins
from tests.support.processes import AGENCY, Parties, agent_command


def repeat_ceremony(parties: Parties) -> None:
    """What both administrators do then."""
    if parties.programs[AGENCY].process is not None:
        parties.programs[AGENCY].stop()
    request, reply = parties.root / "again.enrolment", parties.root / "again.admission"
    agent_command(parties.agent, "enrol", "--replace-root", "--out", str(request))
    officers = [(parties.root / "officer.party").read_text("ascii")]
    arguments = {"request": request.read_text("ascii"), "officers": officers, "replaces": True}
    offered = parties.hub.ask_admission("offer", arguments)
    reply.write_text(offered["reply"], "ascii")
    agent_command(parties.agent, "enrol", str(reply), "--words", offered["words"])
    parties.hub.ask_admission("admit", {"agency": AGENCY, "words": offered["words"]})
    settle_pins(parties.hub)
    parties.programs[AGENCY].start()
    parties.programs[AGENCY].wait_until_connected()
