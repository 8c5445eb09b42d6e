"""Requests and replies that are pasted, as mail programs leave them: they are taken, or refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.journeys.commands.transcript import Terminal

PASTED: Final = """
$ broker init --home hub --hub-id gwent --name "Gwent hub"
...
$ broker run --home hub &
$ agent init police --home west --hub gwent --agency west --name "West Police" --ig-lead-key w.key
...
$ agent enrol --home west > west.block
...
$ sed 's/$/ \\r/; s/^/  /' west.block > mailed
$ broker agency admit - --home hub --reply pasted.admission --later < mailed
west: West Police
  root  <west fingerprint>
reply written to pasted.admission: hand it to the agency, and ring them
  <west words>
...
$ broker agency admit - --home hub --reply pasted.admission < mailed
...
error: the block came by standard input, so nobody could be asked; type this again with --words [not_confirmed]
[1]
$ sed 's/$/ \\r/; s/^/  /' pasted.admission > mailed.admission
$ agent enrol - --home west < mailed.admission
  <west words>
...
error: the block came by standard input, so nobody could be asked; type this again with --words [not_confirmed]
[1]
$ agent enrol - --home west --words "<west words>" < mailed.admission
  <west words>
enrolled west at gwent; pinned coordinator, desk, admission
...
$ broker agency admit - --home hub --reply pasted.admission --words "" < mailed
...
error: not the words of this exchange; compare again, and if they still differ admit nobody [words_differ]
[1]
$ broker agency admit - --home hub --reply pasted.admission --words "<west words>" < mailed
...
admitted west; in effect on hub-1
"""
MANGLED: Final = """
$ sed 's/^/> /' west.block | broker agency admit - --home hub --reply no.admission --later
error: not one ENROLMENT block: give all of it, from -----BEGIN to -----END, and nothing beside it [armour_malformed]
[1]
$ broker agency admit - --home hub --reply no.admission --later < pasted.admission
error: not one ENROLMENT block: give all of it, from -----BEGIN to -----END, and nothing beside it [armour_malformed]
[1]
$ (printf '\\377\\376'; cat west.block) | broker agency admit - --home hub --reply no.admission --later
error: something in it is not ASCII or not base64; have it sent as a file [armour_malformed]
[1]
$ head -c 200000 /dev/zero | tr '\\0' A | broker agency admit - --home hub --reply no.admission --later
error: ...
[1]
$ true | broker agency admit - --home hub --reply no.admission --later
error: not one ENROLMENT block: give all of it, from -----BEGIN to -----END, and nothing beside it [armour_malformed]
[1]
$ (printf '\\377\\376'; cat pasted.admission) | agent enrol - --home west
error: ...
[1]
$ ls no.admission
...
[2]
"""


def test_a_pasted_block_is_taken_whatever_mail_made_of_its_lines_and_a_mangled_one_is_refused(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        terminal.play(PASTED)
        terminal.play(MANGLED)
    finally:
        terminal.stop()
