"""One hub with one agency for each file of transcripts, made by typing what its people would type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.journeys.commands.transcript import Terminal

SETTING_UP: Final = """
$ broker init --home hub --hub-id gwent --name "Gwent hub"
coordinator  fingerprint <coordinator fingerprint>
desk         fingerprint <desk fingerprint>
admission    fingerprint <admission fingerprint>
bus          <bus> (embedded: broker run starts it)
Agencies are admitted by their requests: broker agency admit REQUEST, with the hub running.
hub/ig-lead.key belongs to the hub's information-governance lead: have it taken away.

$ broker run --home hub &
$ broker officer new --hub-id gwent --role social_worker --position "Duty social worker" --key o.key --file o.party
<officer>  fingerprint <officer fingerprint>
Keep o.key; hand on o.party.
$ broker officer add o.party --home hub --name "Alex Morgan" --fingerprint "<officer fingerprint>"
admitted <officer>; hand o.party to each agency too
$ broker officer new --hub-id gwent --role ig_lead --position "IG lead" --key lead.key --file lead.party
<lead>  fingerprint <lead fingerprint>
Keep lead.key; hand on lead.party.
$ broker officer add lead.party --home hub --name "Sam Price" --fingerprint "<lead fingerprint>"
admitted <lead>; hand lead.party to each agency too
$ broker policy versions --home hub
no version yet, so every request is refused; the IG lead runs: broker policy publish PACK --from now
$ broker policy publish england --home hub --key lead.key --from now
version 1 of the policy: england <pack version> (england), in force from ...
  digest <policy>
which agencies have it: broker policy versions

$ broker county county --people 36
36 invented people in county/police, county/health, county/education, county/probation
a child to ask about: <given> <family>, born <born>

$ agent init police --home police --hub gwent --agency police --name "Gwent Police" --ig-lead-key ig.key
made police in police
fingerprint  <police fingerprint>
next: agent enrol --home police writes the request that the hub admits this agency by

$ echo "url = 'sqlite+pysqlite:///file:$PWD/county/police/police.sqlite3?mode=ro&uri=true'" >> police/config.toml
$ agent enrol --home police --out police.enrolment
hand police.enrolment to the hub; nothing in it is secret
when its reply has come: agent enrol REPLY, and compare ten words by telephone
$ broker agency admit police.enrolment --home hub --reply police.admission --later
police: Gwent Police
  root  <police fingerprint>
reply written to police.admission: hand it to the agency, and ring them
  <words>
offered to police; nothing is in effect before its words are compared
$ agent enrol police.admission --home police --words "<words>"
  <words>
enrolled police at gwent; pinned coordinator, desk, admission, ...
bus <bus>
$ broker agency admit police.enrolment --home hub --reply police.admission --words "<words>"
...
admitted police; in effect on hub-1
$ agent run --home police &
"""


ENQUIRY: Final = """
$ cat > enquiry.json <<'EOF'
> {"subjects": [{"role": "index_child", "name": {"given": "<given>", "family": "<family>"}, "birth_date": "<born>"}],
>  "stage": "enquiry", "rag": "amber", "purpose": "child_protection", "lawful_bases": ["ca1989-47", "ukgdpr-6-1-e"],
>  "consent": "unsafe_to_seek", "reason": "The child came to school with an injury that nobody could explain.",
>  "received_at": "NOW"}
> EOF
$ sed -i "s/NOW/$(date -u +%FT%TZ)/" enquiry.json
"""


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A folder with a running hub, a running agency and an officer who may ask."""
    at = Terminal(tmp_path_factory.mktemp("terminal"))
    try:
        at.play(SETTING_UP)
        at.play(ENQUIRY)
        yield at
    finally:
        at.stop()
