"""What a lead may answer in a draft, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.client.extract.draft import Draft, DraftInvalid, DraftOutdated, DraftUndecided, draft_text, read_draft
from broker.client.extract.person import person_of
from broker.client.extract.searching import Search, Shared

PERSON = person_of(
    {
        "names": [{"given": 'Ann "Nan"', "family": "Écho\\Wide 𐐷"}],
        "birth_date": "2001-02-03",
        "identifiers": [{"kind": "nhs_number", "value": "9990000018"}],
    }
)
POLICE = Shared(
    exchange="a" * 32,
    entry=7,
    asked_at=1_795_305_960_000,
    agency="northshire-police",
    found_by="nhs_number",
    others=1,
    about_as=("index_adult",),
    stage="enquiry",
    purpose="child_protection",
    bases=("ca1989-47",),
    asked=("police.incident (content)",),
    ended="answered",
    outcomes=("police.incident: answered, 2 records",),
    reasons=(),
)
HEALTH = replace(POLICE, exchange="b" * 32, agency="northshire-health", asked=("health.gp (content)",), outcomes=())


def draft(tmp_path: Path, *found: Shared, **answers: str) -> Draft:
    """A draft of these exchanges with the same answers to each."""
    file = tmp_path / "draft.toml"
    text = draft_text(PERSON, Search("testhub", found=list(found)))
    for name, answer in answers.items():
        text = text.replace(f'{name} = ""', f'{name} = "{answer}"')
    file.write_text(text)
    file.chmod(0o600)
    return read_draft(file)


@pytest.mark.parametrize("third_parties", ["none", "consent", "reasonable"])
def test_what_harms_nobody_is_handed_out(tmp_path: Path, third_parties: str) -> None:
    decided = draft(tmp_path, POLICE, serious_harm="no", consulted="nobody", third_parties=third_parties)
    assert decided.person == PERSON
    assert decided.handed_out([POLICE]) == [POLICE]


@pytest.mark.parametrize(("harm", "third_parties"), [("yes", "none"), ("no", "leave-out"), ("yes", "leave-out")])
def test_what_would_do_harm_or_tells_about_others_is_left_out_whole(
    tmp_path: Path, harm: str, third_parties: str
) -> None:
    decided = draft(tmp_path, POLICE, serious_harm=harm, consulted="police", third_parties=third_parties)
    assert decided.handed_out([POLICE]) == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "serious_harm is undecided"),
        ({"serious_harm": "no", "consulted": "nobody"}, "third_parties is undecided"),
        ({"serious_harm": "no", "third_parties": "none"}, "consulted is undecided"),
        ({"serious_harm": "No", "consulted": "nobody", "third_parties": "none"}, "serious_harm is not one of no, yes"),
        ({"serious_harm": "no", "consulted": "Dr Echo", "third_parties": "none"}, "consulted is not one of"),
        ({"serious_harm": "yes", "consulted": "nobody", "third_parties": "none"}, "needs somebody who was consulted"),
    ],
)
def test_what_is_undecided_is_named_with_its_place(tmp_path: Path, answers: dict[str, str], said: str) -> None:
    with pytest.raises(DraftUndecided) as refused:
        draft(tmp_path, POLICE, **answers).check_decided()
    assert refused.value.detail.startswith("exchange 1: ")
    assert said in refused.value.detail
    assert "Echo" not in refused.value.detail


@pytest.mark.parametrize("harm", ["no", "yes"])
def test_data_concerning_health_are_not_decided_without_a_health_professional(tmp_path: Path, harm: str) -> None:
    with pytest.raises(DraftUndecided, match=r"exchange 2: .* health-professional"):
        draft(
            tmp_path, POLICE, HEALTH, serious_harm=harm, consulted="social-worker", third_parties="none"
        ).check_decided()


def test_a_health_professionals_opinion_decides_data_concerning_health(tmp_path: Path) -> None:
    decided = draft(tmp_path, HEALTH, serious_harm="no", consulted="health-professional", third_parties="none")
    assert decided.handed_out([HEALTH]) == [HEALTH]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ([], "exchange 1: exchange is not as in the log"),
        ([replace(POLICE, ended="not ended yet", outcomes=())], "exchange 1: ended, outcomes is not as in the log"),
        ([POLICE, HEALTH], "1 exchanges of the log are not in it"),
    ],
)
def test_what_the_log_no_longer_says_is_not_handed_out(tmp_path: Path, now: list[Shared], said: str) -> None:
    decided = draft(tmp_path, POLICE, serious_harm="no", consulted="nobody", third_parties="none")
    with pytest.raises(DraftOutdated) as refused:
        decided.handed_out(now)
    assert said in refused.value.detail


@pytest.mark.parametrize("text", ["x", "other = 1", "exchange = 1", "[[exchange]]\nentry = 1", "\udcff"])
def test_a_file_that_is_no_draft_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "draft.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    file.chmod(0o600)
    with pytest.raises(DraftInvalid):
        read_draft(file)
