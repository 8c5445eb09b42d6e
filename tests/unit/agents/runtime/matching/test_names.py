"""Names folded and compared: scripts, look-alikes, invisible letters, nicknames, spellings, middle and family names."""

from __future__ import annotations

from collections.abc import Callable

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


@pytest.mark.parametrize("written", ["KT19 0ST", "kt190st", "KT19\u00a00ST\u200b", "\u202eＫＴ１９ ０ＳＴ"])
def test_a_postcode_is_one_however_it_is_spaced_or_encoded(written: str) -> None:
    assert postcode_key(written) == "KT190ST"


@given(st.text(st.characters(codec=None), max_size=300))
def test_no_text_breaks_the_folding(text: str) -> None:
    assert all(word == word.strip() and word for word in words_of(text))
    assert postcode_key(text) == postcode_key(text).upper()


@pytest.mark.parametrize(
    ("compare", "one", "other", "level"),
    [
        (compare_given, "Mary", "Mary Ann", Given.SAME),
        (compare_given, "Maryann", "Mary Ann", Given.SAME),
        (compare_given, "Mohammed Ali", "Mohammed Hassan", Given.FIRST),
        (compare_given, "Mohammed", "Muhammad", Given.SPELLING),
        (compare_given, "محمد", "Mohamed", Given.SPELLING),
        (compare_given, "Bill", "William", Given.NICKNAME),
        (compare_given, "Kasia", "Katarzyna", Given.NICKNAME),
        (compare_given, "Jonathon", "Jonathen", Given.ALIKE),
        (compare_given, "Ann", "Mary Ann", Given.AMONG),
        (compare_given, "D", "Declan", Given.INITIAL),
        (compare_given, "Seren", "Sian", Given.OTHER),
        (compare_given, "Baby", "Seren", None),
        (compare_family, "Smith-Jones", "Smith Jones", Family.SAME),
        (compare_family, "Hussain", "Hossein", Family.SPELLING),
        (compare_family, "Kowalska", "Kowalski", Family.SPELLING),
        (compare_family, "Smith-Jones", "Jones", Family.PART),
        (compare_family, "Thackray", "Thackrey", Family.ALIKE),
        (compare_family, "Oldroyd", "Rawstron", Family.OTHER),
        (compare_family, "", "Rawstron", None),
    ],
)
def test_names_agree_on_the_nearest_level_whichever_is_asked_for(
    compare: Callable[..., Given | Family | None], one: str, other: str, level: Given | Family | None
) -> None:
    assert compare(words_of(one), words_of(other), FORMS) is level
    assert compare(words_of(other), words_of(one), FORMS) is level
