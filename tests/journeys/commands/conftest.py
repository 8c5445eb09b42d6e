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
bus          <bus> (embedded: broker run starts it)
Hand the two files in hub/public to each agency and read the fingerprints to them by telephone.
hub/ig-lead.key belongs to the hub's information-governance lead: have it taken away.

$ broker county county --people 36
36 invented people in county/police, county/health, county/education, county/probation
a child to ask about: <given> <family>, born <born>

$ agent init police --home police --hub gwent --agency police --name "Gwent Police" --bus <bus> --ig-lead-key ig.key
made police in police
fingerprint  <police fingerprint>
next: hand police/own.party to the hub, compare fingerprints by voice, pin the hub's files

$ echo "url = 'sqlite+pysqlite:///file:$PWD/county/police/police.sqlite3?mode=ro&uri=true'" >> police/config.toml
$ agent pin hub/public/coordinator.party --home police --fingerprint "<coordinator fingerprint>"
pinned coordinator (coordinator)
$ agent pin hub/public/desk.party --home police --fingerprint "<desk fingerprint>"
pinned desk (desk)

$ broker pin police/own.party --home hub --fingerprint "<police fingerprint>"
pinned police (Gwent Police)
$ broker run --home hub &
$ broker officer new --hub-id gwent --role social_worker --position "Duty social worker" --key o.key --file o.party
<officer>  fingerprint <officer fingerprint>
Keep o.key; hand on o.party.
$ broker officer add o.party --home hub --name "Alex Morgan" --fingerprint "<officer fingerprint>"
admitted <officer>; hand o.party to each agency too
$ agent pin o.party --home police --fingerprint "<officer fingerprint>"
pinned <officer> (officer)
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
