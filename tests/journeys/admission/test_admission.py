"""An agency admitted, asked, given a new root, suspended, expelled: commands as typed, programs as they run.

The bus is a nats-server in operator mode with TLS; no program of the hub is started again for any of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.journeys.commands.conftest import ENQUIRY, SETTING_UP
from tests.journeys.commands.transcript import Terminal
from tests.support.processes import until

ASKED: Final = """
$ broker enquiry open --home hub --key o.key --file enquiry.json
opened enquiry <enquiry>
...
$ broker request issue <enquiry> --home hub --key o.key --agency police --category police.incident
<first>  police ...
...
$ broker request show <first> --home hub --key o.key --wait 2m
<first>  police       opened
...
$ broker agency list --home hub
police                   admitted   since ...; connected to hub-1
$ broker agency list --home hub | grep "not yet proven"
[1]
$ broker bus check --home hub
the servers are safe
"""
SECOND_AGENCY: Final = """
$ agent init police --home south --hub gwent --agency south-police --name "South Police" --ig-lead-key s.key
...
$ agent enrol --home south --out south.enrolment
...
$ broker agency admit south.enrolment --home hub --reply south.admission --later
south-police: South Police
  root  <south fingerprint>
reply written to south.admission: hand it to the agency, and ring them
  <south words>
...
$ agent enrol south.admission --home south --words "one two three four five six seven eight nine ten"
...
error: not the words of this exchange; compare again, and if they still differ admit nobody [words_differ]
[1]
$ broker agency admit south.enrolment --home hub --reply south.admission --words "abandon ability"
...
error: not the words of this exchange; compare again, and if they still differ admit nobody [words_differ]
[1]
$ agent enrol police.admission --home south --words "<south words>"
error: a reply to another request than the one made here; send the newest request to the hub [reply_foreign]
[1]
$ agent enrol south.admission --home south --words "<south words>"
...
$ broker agency admit south.enrolment --home hub --reply south.admission --words "<south words>"
...
admitted south-police; in effect on hub-1
"""
REFUSED: Final = """
$ broker agency admit police.enrolment --home hub --reply again.admission --words "<words>"
error: this request was taken in before; the agency makes a new one [enrolment_repeated]
[1]
$ head -c 500 south.enrolment > half.enrolment
$ broker agency admit half.enrolment --home hub --reply half.admission --words "<words>"
error: not one ENROLMENT block: give all of it, from -----BEGIN to -----END, and nothing beside it [armour_malformed]
[1]
$ ls half.admission again.admission
...
[2]
$ broker agency show nobody --home hub
...
[2]
"""
NEW_ROOT: Final = """
$ agent enrol --home police --replace-root --out root.enrolment
...
$ broker agency admit root.enrolment --home hub --reply root.admission --later
error: a party of that name is there already [agency_known]
[1]
$ broker agency admit root.enrolment --home hub --reply root.admission --replace --later
police: Gwent Police
  root  <new fingerprint>
reply written to root.admission: hand it to the agency, and ring them
  <root words>
...
$ agent enrol root.admission --home police --words "<root words>"
...
$ broker agency admit root.enrolment --home hub --reply root.admission --replace --words "<root words>"
...
admitted police; in effect on hub-1
$ agent run --home police &
$ broker request issue <enquiry> --home hub --key o.key --agency police --category police.da
<second>  police ...
...
$ broker request show <second> --home hub --key o.key --wait 2m
<second>  police       opened
...
"""
SUSPENDED: Final = """
$ broker agency suspend police --home hub
suspended police; in effect on hub-1
$ broker agency resume police --home hub
resumed police; in effect on hub-1
"""
EXPELLED: Final = """
$ broker request issue <enquiry> --home hub --key o.key --agency police --category police.missing
<third>  police ...
...
$ broker agency expel police --home hub --yes --reason left-hub
expelled police; in effect on hub-1
$ broker agency list --home hub
police                   expelled   since ...; left-hub
south-police             admitted   since ...; not yet proven
$ broker request show <third> --home hub --key o.key --wait 1m
<third>  police       withdrawn
...
$ broker bus check --home hub
the servers are safe
$ broker log verify --home hub
...
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_the_life_of_an_agency_in_a_hub_from_its_request_to_its_expulsion(terminal: Terminal) -> None:
    agent = "agent run --home police"
    try:
        for tour in (SETTING_UP, ENQUIRY, ASKED, SECOND_AGENCY, REFUSED):
            terminal.play(tour)
        assert terminal.programs.pop(agent).stop() == 0
        terminal.play(NEW_ROOT)
        terminal.play(SUSPENDED)
        until("the agency is back", lambda: _is_back(terminal))
        assert terminal.programs.pop(agent).stop() == 0
        terminal.play(EXPELLED)
    finally:
        terminal.stop()


def _is_back(terminal: Terminal) -> bool:
    terminal.play("$ broker agency list --home hub > listed\n")
    return "police                   admitted" in (listed := (terminal.folder / "listed").read_text()) and (
        "connected to" in listed
    )
