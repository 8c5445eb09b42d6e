"""Names folded and compared: scripts, look-alikes, invisible letters, nicknames, spellings, middle and family names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.matching.levels import Family, Given
from agents.runtime.matching.names import compare_family, compare_given
from agents.runtime.matching.text import LONGEST_NAME, postcode_key, words_of
from agents.runtime.matching.weights import shipped_weights

FORMS = shipped_weights().forms


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("ÉLODIE", ("elodie",)),
        ("Łukasz Ødegård", ("lukasz", "odegard")),
        ("\u202eEllie\u202c", ("ellie",)),
        ("El\u00adlie\u200d", ("ellie",)),
        ("Еlliе", ("ellie",)),  # Cyrillic Е and е
        ("Αnna", ("anna",)),  # Greek Alpha
        ("Мария", ("mariya",)),
        ("Γιωργος", ("giorgos",)),
        ("مُحَمَّد", ("محمد",)),
        ("O’Neill", ("oneill",)),
        ("Dr Ann Smith-Jones (née Lee)", ("ann", "smith", "jones")),
        ("Baby of", ()),
        ("\u0301\u202e", ()),
        ("x" * (LONGEST_NAME + 1), ()),
    ],
)
def test_a_name_is_folded_to_what_people_mean_by_it(written: str, words: tuple[str, ...]) -> None:
    assert words_of(written) == words


@given(st.text(st.characters(codec=None), max_size=300))
def test_no_text_breaks_the_folding(text: str) -> None:
    assert all(word == word.strip() and word for word in words_of(text))
    assert postcode_key(text) == postcode_key(text).upper()


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Mary", "Mary Ann", Given.SAME),
        ("Maryann", "Mary Ann", Given.SAME),
        ("Mohammed Ali", "Mohammed Hassan", Given.FIRST),
        ("Mohammed", "Muhammad", Given.SPELLING),
        ("محمد", "Mohamed", Given.SPELLING),
        ("Bill", "William", Given.NICKNAME),
        ("Kasia", "Katarzyna", Given.NICKNAME),
        ("Jonathon", "Jonathen", Given.ALIKE),
        ("Ann", "Mary Ann", Given.AMONG),
        ("D", "Declan", Given.INITIAL),
        ("Seren", "Sian", Given.OTHER),
        ("Baby", "Seren", None),
    ],
)
def test_given_names_agree_on_the_nearest_level(one: str, other: str, level: Given | None) -> None:
    assert compare_given(words_of(one), words_of(other), FORMS) is level
    assert compare_given(words_of(other), words_of(one), FORMS) is level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Smith-Jones", "Smith Jones", Family.SAME),
        ("Hussain", "Hossein", Family.SPELLING),
        ("Kowalska", "Kowalski", Family.SPELLING),
        ("Smith-Jones", "Jones", Family.PART),
        ("Thackray", "Thackrey", Family.ALIKE),
        ("Oldroyd", "Rawstron", Family.OTHER),
        ("", "Rawstron", None),
    ],
)
def test_family_names_agree_on_the_nearest_level(one: str, other: str, level: Family | None) -> None:
    assert compare_family(words_of(one), words_of(other), FORMS) is level
    assert compare_family(words_of(other), words_of(one), FORMS) is level
