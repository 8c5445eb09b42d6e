"""People whom nobody asked about, in texts that leave: their names, addresses and numbers, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.gatekeeping.third_party import MOST_OTHERS, REDACTED, Others, mask_others, recognise
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import IdentifierKind, parse_identifier

ASKED = PersonQuery((PersonName("Octavia", "Chislett"),), addresses=(PersonAddress("4 Mill Lane", "NR1 3QG"),))
HELD = LocalPerson("P-1", (PersonName("Octavia Jane", "Chislett"), PersonName("Tavi", "Chislett")))
SISTER = LocalPerson(
    "P-2",
    (PersonName("Wilhelmina", "Chislett"),),
    identifiers=frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, "9691292211")}),
    addresses=(PersonAddress("Flat 2, 17 High Street, Norwich", "NR2 4AB"), PersonAddress("4 Mill Lane", "NR1 3QG")),
)
FRIEND = LocalPerson("P-3", (PersonName("Séan", "O'Brien-Smith"), PersonName("Mark", "Young")))
OTHERS = recognise([ASKED], [HELD], [SISTER, FRIEND, HELD], ["Dorota Łapińska (witness)", "Octavia Chislett"])


def masked(text: str) -> str:
    return mask_others(text, OTHERS)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Wilhelmina said so.", f"{REDACTED} said so."),
        ("WILHELMINA said so.", f"{REDACTED} said so."),
        ("with wilhelmina's bag", f"with {REDACTED} bag"),
        ("with Wilhelmina’s bag", f"with {REDACTED} bag"),
        ("Wilhelminas bag", f"{REDACTED} bag"),
        ("Wílhelmína called", f"{REDACTED} called"),
        ("Wil\u00adhel\u200fmina called", f"{REDACTED} called"),
        ("\u200fWilhelmina\u200f called", f"\u200f{REDACTED} called"),
        ("Wilhеlmina called", f"{REDACTED} called"),
        ("Sean O'Brien-Smith left", f"{REDACTED} left"),
        ("Séan OBrien Smith left", f"{REDACTED} left"),
        ("OBRIENSMITH left", f"{REDACTED} left"),
        ("Ms Lapinska saw it", f"Ms {REDACTED} saw it"),
        ("(Dorota)", f"({REDACTED})"),
    ],
)
def test_a_name_is_masked_however_it_is_written(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Octavia Chislett lives at 4 Mill Lane, NR1 3QG.",
        "Tavi, and Mrs Chislett.",
        "A witness was there; the mill was closed.",
        "A young man may mark it.",
        "",
        "Wilhelm and Dora",
    ],
)
def test_the_subjects_own_and_ordinary_words_stay(text: str) -> None:
    assert masked(text) == text


def test_a_family_name_that_is_shared_goes_with_the_others_name_and_stays_with_the_subjects() -> None:
    text = "Wilhelmina Chislett and Octavia Chislett, or Chislett, Wilhelmina."
    assert masked(text) == f"{REDACTED} and Octavia Chislett, or Chislett, {REDACTED}."


def test_a_name_that_is_a_word_is_a_name_with_a_capital_letter() -> None:
    assert masked("Then Mark Young came; mark the young tree.") == f"Then {REDACTED} came; mark the young tree."


@pytest.mark.parametrize(
    "number", ["9691292211", "969 129 2211", "969-129-2211", "\u200f969 129 2211", "９６９１２９２２１１"]
)
def test_a_number_is_masked_however_it_is_spaced(number: str) -> None:
    assert not any(letter.isdigit() for letter in masked(f"NHS {number}."))


def test_a_longer_number_that_holds_it_is_another() -> None:
    assert masked("ref 19691292211") == "ref 19691292211"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("at 17 High Street now", f"at {REDACTED} now"),
        ("at 17 HIGH ST.", f"at {REDACTED}."),
        ("at 17, High Road", f"at {REDACTED}"),
        ("near nr24ab.", f"near {REDACTED}."),
        ("at 117 High Street", "at 117 High Street"),
    ],
)
def test_an_address_is_masked_by_its_number_and_street_and_by_its_postcode(text: str, left: str) -> None:
    assert masked(text) == left


def test_where_nobody_else_is_known_a_text_stays_as_it_is() -> None:
    assert mask_others("Wilhelmina.", recognise([ASKED], [HELD], [HELD], ["Octavia Chislett"])) == "Wilhelmina."
    assert mask_others("Wilhelmina.", Others()) == "Wilhelmina."


def test_of_a_text_with_too_many_to_look_for_nothing_is_left() -> None:
    crowd = [LocalPerson(f"C-{n}", (PersonName(f"Name{n}", "Other"),)) for n in range(MOST_OTHERS + 1)]
    assert mask_others("Hello.", recognise([ASKED], [HELD], crowd, ())) == REDACTED


@given(st.text(max_size=300))
def test_any_text_at_all_is_masked_and_masking_again_changes_nothing(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert "wilhelmina" not in masked(f"{text} wilhelmina {text}")


def test_the_longest_texts_are_masked_and_no_longer_than_a_text_may_be() -> None:
    text = "Wilhelmina " * 363
    assert masked(text).strip() == REDACTED
    assert len(masked("Wilhelmina, " * 333)) <= 4_000
    for long in ("a" * 10_000, "\u0301" * 10_000, "\u202e" * 10_000, "9" * 10_000, "17 " * 3_000, "Chislett " * 1_000):
        masked(long)
