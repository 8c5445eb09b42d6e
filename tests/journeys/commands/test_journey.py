"""The whole way, as a hub coordinator, an agency's IT and an IG lead type it; then each way to type it wrongly.

The tests share one running hub and stand in the order in which people meet them.
"""

from __future__ import annotations

import pytest

from broker.cli.doctor import examine
from broker.client.hub import Hub
from broker.node.clock import DAY_MS, SystemClock
from broker.node.doctor.checked import State
from tests.journeys.commands.transcript import Terminal

AT_HUB = "--home hub --key o.key"


def test_the_hub_finds_itself_ready(terminal: Terminal) -> None:
    terminal.play(
        """
        $ broker doctor --home hub
        ok    homes                   coordinator, desk and admission of hub gwent
        warn  lead's key              hub/ig-lead.key is still here: have the hub's IG lead take it
        ok    settings                bus <bus>, a clock for each rating
        warn  users                   coordinator, desk and admission share users: ...
        ok    separation              operator, system, account and authority keys are in admission's home alone
        ok    each other              coordinator, desk and admission pinned each other
        ok    agencies                police: epoch 1 until ...; police: keys for 399 days
        ok    officers                2 pinned, each with a card
        ok    coordinator: files      hub/coordinator: ... files and directories, all their owner's only
        ok    coordinator: clock      ..., after every pinned file was made; 2 minutes of difference are tolerated
        warn  coordinator: keys       coordinator: 8 keys, sealed under wrap.key beside them: ...
        ok    coordinator: endings    coordinator: the first to end is the client certificate, in 364 days
        ok    coordinator: access     certificate, authority and account JWT ...
        ok    coordinator: bus        <bus>: admitted, its certificate holds until ...
        ok    coordinator: policy     version 1 (england <pack version>), digest <policy>...
        ok    coordinator: log        <entries> entries, lock copy of <entries>
        ok    coordinator: program    running and ready
        ok    coordinator: directory  version ...
        ok    coordinator: peers      ...
        ok    desk: files             hub/desk: ... files and directories, all their owner's only
        ok    desk: clock             ..., after every pinned file was made; 2 minutes of difference are tolerated
        warn  desk: keys              desk: 7 keys, sealed under wrap.key beside them: ...
        ok    desk: endings           desk: the first to end is the client certificate, in 364 days
        ok    desk: access            certificate, authority and account JWT ...
        ok    desk: bus               <bus>: admitted, its certificate holds until ...
        ok    desk: program           running and ready
        ok    desk: directory         version ...
        ok    desk: peers             ...
        ok    admission: files        hub/admission: ... files and directories, all their owner's only
        ok    admission: clock        ..., after every pinned file was made; 2 minutes of difference are tolerated
        warn  admission: keys         admission: 15 keys, sealed under wrap.key beside them: ...
        ok    admission: endings      admission: the first to end is the client certificate, in 364 days
        ok    admission: access       certificate, authority and account JWT ...
        ok    admission: bus          <bus>: admitted, its certificate holds until ...
        ok    admission: program      running and ready
        ok    admission: members      1 agencies, ...
        ok    admission: bus keys     operator and system keys, the oldest of 0 days; one authority
        ok    admission: peers        ...

        $ broker officer list --home hub | grep Duty
        <officer>   social_worker        Alex Morgan (Duty social worker)
        """
    )


def test_the_agency_finds_itself_ready_and_sees_what_would_leave(terminal: Terminal) -> None:
    terminal.play(
        """
        $ agent doctor --home police
        ok    home         agency police of hub gwent
        ok    permissions  police: ... files and directories, all their owner's only
        ok    settings     12 categories are answered
        ok    clock        ..., after every pinned file was made; 2 minutes of difference are tolerated
        ok    parties      coordinator, desk, admission and 2 officers are pinned
        warn  keys         police: 11 keys, sealed under wrap.key beside them: ...
        ok    epochs       police: epoch 1 until ...
        ok    endings      police: the first to end is the client certificate, in 364 days
        ok    rules        policy ...
        ok    review       ...
        ok    source       sqlite police database, read-only: ...
        ok    credentials  certificate, authority and account JWT ...
        ok    bus          <bus>: admitted, its certificate holds until ...
        ok    program      running, connected
        ok    hub policy   version 1 in force (england <pack version>), signed by <lead>
        ok    directory    version ...
        ok    clocks       ...

        $ agent try --home police --given <given> --family <family> --birth-date <born> --category police.incident
        ...
        police.incident              answered                 permit-enquiry-content
        ...
        $ agent status --home police
        police of gwent: connected
        ...
        """
    )


def test_an_officer_asks_and_reads_what_was_answered(terminal: Terminal) -> None:
    terminal.play(
        f"""
        $ broker enquiry open {AT_HUB} --file enquiry.json
        opened enquiry <enquiry>
        <enquiry>  open     enquiry              amber  ...  1 subjects
          subject <subject>  index_child

        $ broker request issue <enquiry> {AT_HUB} --agency police --category police.incident --category police.da
        <exchange>  police       ...
          asks for  police.incident:content, police.da:content
          deadline  ...
          expires   ...

        $ broker request show <exchange> {AT_HUB} --wait 5m
        <exchange>  police       opened
        ...
        $ broker enquiry show <enquiry> {AT_HUB}
        ...
          <exchange>  police       opened

        $ broker enquiry show <enquiry> {AT_HUB} --answers
        OUTCOMES
          police     <given> <family>...  police.da...  not_known
          police     <given> <family>...  police.incident...  answered
        CHRONOLOGY
        ...
        Not known does not prove absence: ...
        """
    )


def test_an_information_governance_lead_reads_and_verifies_the_log(terminal: Terminal) -> None:
    terminal.play(
        """
        $ broker log show --home hub
        ...
        ...  request         police <exchange>
        ...  acknowledged    police <exchange>
        ...  release         police <exchange>
        ...
        ...  consulted
        ...
        $ broker log show --home hub --start 0 --limit 1
               0  ...  shard-open
        $ broker log verify --home hub
        ... entries: the log holds
        gwent.hub.example/sharing-log
        ...
        — gwent.hub.example/sharing-log ...

        $ agent log show --home police
        ...  received
        ...  received        <exchange>
        ...
        ...  release         <exchange>
        $ agent log verify --home police
        own log: ... entries hold; mirror of the hub's: ... hold
        """
    )


def test_an_information_governance_lead_opens_what_an_entry_does_not_say(terminal: Terminal) -> None:
    hub = Hub(terminal.folder / "hub")
    entries = hub.ask_coordinator("log", {"start": 0, "limit": 1000})["entries"]
    consulted = next(one["index"] for one in entries if one["entry"]["type"] == "consulted")
    terminal.play(
        f"""
        $ broker log open {consulted} --home hub --lead-key hub/ig-lead.key
        ...  consulted
        {{
          "at": ...
          "enquiry": ...
        ...
          "officer": ...
          "v": 1
        }}
        """
    )


def test_an_information_governance_lead_sees_which_rules_decided_a_request(terminal: Terminal) -> None:
    terminal.play(
        """
        $ broker policy explain <exchange> --home hub
        police.incident (content) about index_child: permitted
          R5-enquiry-amber-red-police: In an Amber or Red enquiry ...
          taken away: ...
        police.da (content) about index_child: permitted
          R6-domestic-abuse-summary: ...
          taken away: children, safe_contact
        """
    )


def test_the_policy_that_decided_is_known_at_both_ends_and_the_next_one_is_refused_where_it_does_not_hold(
    terminal: Terminal,
) -> None:
    terminal.play(
        """
        $ broker policy versions --home hub
           1  in force  from ...  england <pack version> (england)  signed by ig_lead
              digest <policy>
              police has it since ...
        $ agent policy list --home police
           1  in force  from ...  england <pack version> (england)  signed by <lead>
        $ broker policy copy england rules > /dev/null; echo '@id("x") permit (a, b, c);' >> rules/00-bounds.cedar
        $ broker policy publish rules --home hub --key lead.key --from now
        error: 00-bounds.cedar, line ... [policy_invalid]
        [1]
        $ broker policy publish england --home hub --key o.key --from now
        error: <officer> is a social_worker: only the hub's IG lead publishes its policy [not_the_ig_lead]
        [1]
        $ broker policy publish england --home hub --key lead.key --from 2020-01-01
        error: ... [policy_untimely]
        [1]
        $ broker policy versions --home hub --json | grep -c '"number"'
        1
        """
    )


def test_an_enquiry_is_decided_closed_and_erased(terminal: Terminal) -> None:
    terminal.play(
        f"""
        $ broker enquiry close <enquiry> {AT_HUB}
        error: the enquiry is open; record a decision before closing it [enquiry_not_open]
        [1]
        $ echo "The injury is explained." > reason.txt
        $ broker enquiry decide <enquiry> {AT_HUB} --decision no_further_action --reason-file reason.txt
        decided: no_further_action
        $ broker enquiry close <enquiry> {AT_HUB}
        closed; 0 outstanding requests are being withdrawn
        $ broker request issue <enquiry> {AT_HUB} --agency police --category police.incident
        error: the enquiry is closed; nothing can be asked in it [enquiry_not_open]
        [1]
        $ broker enquiry erase <enquiry> {AT_HUB}
        Nobody will be able to read this enquiry again. Erase it? [y/N]:
        error: nobody answered: nothing was erased; look at it first if you are in doubt: ... [not_confirmed]
        [1]
        $ broker enquiry erase <enquiry> {AT_HUB} --yes
        erased enquiry <enquiry>; the log still proves that it was
        $ broker enquiry list {AT_HUB}
        no enquiries
        $ broker log verify --home hub
        ... entries: the log holds
        ...
        """
    )


ERRORS = {
    "a request or reply that is not what it seems": """
        $ agent pin o.party --home police --fingerprint "0000 1111"
        error: the fingerprint is another one: do not use this file; ask for it again by another way [...]
        [1]
        $ broker agency admit police.enrolment --home hub --reply again.admission --later
        error: ... [enrolment_repeated]
        [1]
        $ broker agency admit enquiry.json --home hub --later
        error: not one ENROLMENT block: ... [armour_malformed]
        [1]
        $ sed '3s/./x/' police.enrolment | broker agency admit - --home hub --later
        error: ... [...]
        [1]
        $ agent enrol police.enrolment --home police
        error: ... [...]
        [1]
        $ broker agency show nobody --home hub
        ...
        Error: no agency nobody was offered or admitted; see: broker agency list
        [2]
        $ broker officer add police/own.party --home hub --name x --fingerprint "<police fingerprint>"
        error: police is not an officer (agent); see: broker agency admit [not_an_officer]
        [1]
        """,
    "making a hub where there is one": """
        $ broker init --home hub --hub-id gwent --name x
        error: hub/coordinator holds a party already; choose another directory [home_invalid]
        [1]
        $ broker init --home other --hub-id "Gwent Hub" --name x
        ...
        Error: Invalid value for '--hub-id': a name here is a-z, 0-9 and hyphens, begins with a letter ...
        [2]
        $ broker init --home other --hub-id other --name x --bus-url http://127.0.0.1:4222
        error: --bus-url names a connection without TLS; ... [bus_plaintext_refused]
        [1]
        $ ls other
        ls: cannot access 'other': No such file or directory
        [2]
        """,
    "asking an agency that is not pinned": """
        $ broker enquiry open AT_HUB --file enquiry.json
        opened enquiry <second enquiry>
        ...
        $ broker request issue <second enquiry> AT_HUB --agency fire --category police.incident
        error: field agency names nobody who is admitted: broker agency list shows who is [field_invalid]
        [1]
        $ broker request issue <second enquiry> AT_HUB --agency police --category health.ed_attendance
        error: field categories.0: an agency of that kind holds no health.ed_attendance [field_invalid]
        [1]
        $ broker request issue <second enquiry> AT_HUB --agency police --category police.incidents
        ...
        Error: Invalid value for '--category': police.incidents is not a category; there are: police.involvement, ...
        [2]
        $ broker request issue <second enquiry> AT_HUB --agency police --category police.incident:some
        ...
        Error: Invalid value for '--category': some is not a mode; ...
        [2]
        $ broker request issue <second enquiry> AT_HUB --agency police --category police.incident --deadline 4
        ...
        Error: Invalid value for '--deadline': 4 is not a length of time such as 30s, 15m or 4h
        [2]
        $ broker request issue <second enquiry> AT_HUB --agency police --category police.da --deadline 4h --expiry 1h
        error: field expires_at must be after deadline_at and at most 60 days from now [field_invalid]
        [1]
        """,
    "an enquiry in words that are none": """
        $ sed s/child_protection/curiosity/ enquiry.json | broker enquiry open AT_HUB --file -
        error: field purpose is not one of 'child_protection', 'child_in_need', ... [input_invalid]
        [1]
        $ sed s/index_child/neighbour/ enquiry.json | broker enquiry open AT_HUB --file -
        error: field subjects.0.role is not one of 'index_child', ... [input_invalid]
        [1]
        $ sed s/ca1989-47/because/ enquiry.json | broker enquiry open AT_HUB --file -
        error: field lawful_bases.0 is not one of ... [input_invalid]
        [1]
        $ sed 's/"rag"/"colour"/' enquiry.json | broker enquiry open AT_HUB --file -
        error: field ... [input_invalid]
        [1]
        $ sed 's/"received_at": ".*"/"received_at": "yesterday"/' enquiry.json | broker enquiry open AT_HUB --file -
        error: field received_at is no time such as 2026-03-02T09:30:00Z, with Z or an offset [input_invalid]
        [1]
        $ broker enquiry open AT_HUB --file /dev/null
        error: /dev/null is not JSON (line 1) [input_invalid]
        [1]
        $ broker enquiry open AT_HUB --file nowhere.json
        error: nowhere.json cannot be read (No such file or directory) [input_invalid]
        [1]
        """,
    "a key file that others can read, or that is none": """
        $ cp o.key copy.key; chmod 644 copy.key; broker enquiry list --home hub --key copy.key
        error: copy.key can be read by others; run: chmod 600 copy.key [key_file_invalid]
        [1]
        $ broker enquiry list --home hub --key hub/ig-lead.key
        error: hub/ig-lead.key is not an officer's key file; make one with: broker officer new [key_file_invalid]
        [1]
        $ broker enquiry list --home hub --key nowhere.key
        error: nowhere.key cannot be read [key_file_invalid]
        [1]
        $ broker officer new --hub-id gwent --role social_worker --position x --key o.key --file x.party
        error: o.key exists; a key file is never overwritten [key_file_invalid]
        [1]
        """,
    "an officer who was not admitted": """
        $ broker officer new --hub-id gwent --role social_worker --position x --key stranger.key --file stranger.party
        ...
        $ broker enquiry list --home hub --key stranger.key
        error: ... [...]
        [1]
        $ broker officer remove o-nobody --home hub
        error: no officer o-nobody is admitted; see: broker officer list [not_an_officer]
        [1]
        """,
    "ids that are none": """
        $ broker enquiry show 42 AT_HUB
        ...
        Error: Invalid value for 'ENQUIRY_ID': an id is 32 of 0-9 and a-f; see: broker enquiry list
        [2]
        $ broker enquiry show 00000000000000000000000000000000 AT_HUB
        error: no such enquiry of yours [enquiry_unknown]
        [1]
        $ broker request show 00000000000000000000000000000000 AT_HUB
        error: no such request of yours [enquiry_unknown]
        [1]
        $ broker request withdraw 00000000000000000000000000000000 AT_HUB
        error: no such request of yours [enquiry_unknown]
        [1]
        """,
    "a program that runs already, and one that does not": """
        $ agent run --home police
        ...
        error: another program has taken police/keys: use its commands, or stop it first [key_store_in_use]
        [1]
        $ broker log show --home nowhere
        error: nothing listens on the command socket; start the program (run), then try again [not_running]
        [1]
        $ broker run --home nowhere
        error: nowhere/hub.toml cannot be read (No such file or directory); make it with init [settings_invalid]
        [1]
        $ broker doctor --home nowhere
        FAIL  homes  nowhere/coordinator/own.party cannot be read; make one with init [home_invalid]
        [1]
        $ agent status --home nowhere
        error: nowhere/config.toml cannot be read (No such file or directory); make it with init [settings_invalid]
        [1]
        """,
    "an agent's commands misused": """
        $ agent init zoo --home zoo
        ...
        [2]
        $ agent init police --home police --hub gwent --agency police --name x --ig-lead-key other.key
        error: police holds a party already; choose another directory [home_invalid]
        [1]
        $ agent try --home police --id nhs_number=123
        ...
        Error: Invalid value for --id: ...
        [2]
        """,
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_a_mistake_is_answered_with_what_to_do(terminal: Terminal, mistake: str) -> None:
    terminal.play(ERRORS[mistake].replace("AT_HUB", AT_HUB))


READING = (
    "broker doctor --home hub",
    "broker officer list --home hub",
    f"broker enquiry list {AT_HUB}",
    "broker log show --home hub",
    "broker log verify --home hub",
    "agent doctor --home police",
    "agent status --home police",
    "agent log show --home police",
    "agent log verify --home police",
    "agent try --home police --family Nobody --category police.incident",
)


@pytest.mark.parametrize("command", READING)
def test_what_reads_also_prints_json(terminal: Terminal, command: str) -> None:
    terminal.play(f"$ {command} --json | python -m json.tool > /dev/null; echo ${{PIPESTATUS[*]}}\n0 0")


def test_the_doctor_names_what_is_missing(terminal: Terminal) -> None:
    terminal.play(
        """
        $ chmod 755 hub/desk
        $ broker doctor --home hub | grep FAIL
        FAIL  desk: files             hub/desk can be read by others; run: chmod go= hub/desk [not_well]
        $ chmod 700 hub/desk; mv hub/desk/officers.json cards.json
        $ broker doctor --home hub | grep FAIL
        FAIL  officers                ... has no card at the desk: broker officer remove, ... [not_well]
        $ mv cards.json hub/desk/officers.json
        $ cp hub/desk/config.toml config.toml; echo "[colour]" >> hub/desk/config.toml
        $ broker doctor --home hub | grep FAIL
        FAIL  settings                hub/desk/config.toml: colour is not a setting ... [settings_invalid]
        $ mv config.toml hub/desk/config.toml; mv hub/desk/parties/police.party .
        $ broker doctor --home hub > doctor.txt
        [1]
        $ grep FAIL doctor.txt
        FAIL  agencies                police is not pinned alike at coordinator and desk: ... [not_well]
        FAIL  admission: members      desk has not followed about police; run: broker agency settle [not_well]
        $ mv police.party hub/desk/parties; broker doctor --home hub > doctor.txt
        """
    )


@pytest.mark.parametrize(
    ("days", "what", "state", "said"),
    [
        (4.5, "agencies", State.WARN, "the next epoch's key is not there yet; have that agency start its agent"),
        (8, "agencies", State.FAIL, "police: no sealing key in force, so nothing can be asked of it"),
        (310, "desk: endings", State.WARN, "the client certificate ends in 54 days (60-day notice), run: broker keys"),
        (364, "desk: endings", State.WARN, "(3-day notice)"),
        (366, "desk: endings", State.FAIL, "the client certificate ended 2"),
        (401, "officers", State.FAIL, "key in force"),
        (-1, "desk: clock", State.FAIL, "which lies ahead: set this machine's clock by NTP"),
    ],
)
def test_the_doctor_sees_what_time_brings(terminal: Terminal, days: float, what: str, state: State, said: str) -> None:
    found = list(examine(Hub(terminal.folder / "hub"), SystemClock().now() + int(days * DAY_MS)))
    told = [one for one in found if one.what == what]
    assert told[0].state is state, told
    assert said in told[0].said
