"""The levels of `agents.runtime.matching` said again in SQL, as Splink's settings. Knows no weight of its own.

The order within a field is the order in which the agents ask; whatever is changed there is changed here, and the
committed fixture of Splink's scores says whether it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.runtime.matching.names import ALIKE_FROM, NEAR_FROM

_WORDS: Final = "list_has_any({0}_l, {0}_r)"
_JARO: Final = "jaro_winkler_similarity({0}_l, {0}_r) >= {1}"
_BEGINS: Final = "((length({0}) = 1 OR length({0}) >= 3) AND starts_with({1}, {0}))"
_LINE: Final = "(house_l = house_r AND list_has_any(street_l, street_r))"
_LINES: Final = "(house_l IS NOT NULL AND house_r IS NOT NULL)"
_SWAPPED: Final = (
    "substr(born_l, 1, 4) = substr(born_r, 1, 4) AND substr(born_l, 5, 2) = substr(born_r, 7, 2)"
    " AND substr(born_l, 7, 2) = substr(born_r, 5, 2)"
)
_PARTS: Final = " + ".join(
    f"CAST(substr(born_l, {at}, {length}) = substr(born_r, {at}, {length}) AS INTEGER)"
    for at, length in ((1, 4), (5, 2), (7, 2))
)

NULL: Final[Mapping[str, str]] = {
    "given": "given_joined_l IS NULL OR given_joined_r IS NULL",
    "family": "family_joined_l IS NULL OR family_joined_r IS NULL",
    "birth": "born_l IS NULL OR born_r IS NULL",
    "sex": "sex_l IS NULL OR sex_r IS NULL",
    "place": f"NOT (postcode_l IS NOT NULL AND postcode_r IS NOT NULL) AND NOT {_LINES}",
    "number": "NOT coalesce(list_has_any(kinds_l, kinds_r), false)",
}
"""When a field says nothing."""

LEVELS: Final[Mapping[str, Mapping[str, str]]] = {
    "given": {
        "same": "(given_first_l = given_first_r AND (given_second_l IS NULL OR given_second_r IS NULL"
        " OR given_second_l = given_second_r)) OR given_joined_l = given_joined_r",
        "first": "given_first_l = given_first_r",
        "spelling": _WORDS.format("given_spellings"),
        "nickname": _WORDS.format("given_nicknames"),
        "alike": _JARO.format("given_first", ALIKE_FROM),
        "among": _WORDS.format("given_words"),
        "initial": f"{_BEGINS.format('given_first_l', 'given_first_r')}"
        f" OR {_BEGINS.format('given_first_r', 'given_first_l')}",
        "near": _JARO.format("given_first", NEAR_FROM),
        "other": "ELSE",
    },
    "family": {
        "same": "family_joined_l = family_joined_r",
        "spelling": f"{_WORDS.format('family_spellings')} OR family_masculine_l = family_masculine_r",
        "part": _WORDS.format("family_words"),
        "alike": _JARO.format("family_joined", ALIKE_FROM),
        "near": _JARO.format("family_joined", NEAR_FROM),
        "other": "ELSE",
    },
    "birth": {
        "same": "born_l = born_r",
        "swapped": _SWAPPED,
        "digit": "damerau_levenshtein(born_l, born_r) = 1",
        "near": f"{_PARTS} >= 2",
        "other": "ELSE",
    },
    "sex": {"same": "sex_l = sex_r", "other": "ELSE"},
    "place": {
        "same": f"{_LINE} AND district_l = district_r",
        "postcode": "postcode_l = postcode_r",
        "line": _LINE,
        "district": "district_l = district_r",
        "other": "ELSE",
    },
    "number": {
        "same": "len(list_filter(list_intersect(numbers_l, numbers_r), lambda x: x[1] <> '?')) > 0",
        "unchecked": _WORDS.format("numbers"),
        "other": "ELSE",
    },
}
"""The levels of each field, the first that holds counts."""

COUNTED: Final[Mapping[tuple[str, str], str]] = {
    ("given", "same"): "given_first",
    ("given", "first"): "given_first",
    ("family", "same"): "family_joined",
}
"""Where the commonness of a name counts, and the column it is of."""


def settings(chances: Mapping[str, Mapping[str, tuple[float, float]]] | None, prior: float) -> dict[str, Any]:
    """Splink's settings; with chances (m, u) to score by them, without to learn them."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": prior,
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": ["person"],
        "blocking_rules_to_generate_predictions": ["l.born = r.born", "l.family_joined = r.family_joined"],
        "comparisons": [
            {
                "output_column_name": field,
                "comparison_levels": [
                    {"sql_condition": NULL[field], "label_for_charts": "null", "is_null_level": True},
                    *(_level(field, level, sql, chances) for level, sql in levels.items()),
                ],
            }
            for field, levels in LEVELS.items()
        ],
    }


def _level(
    field: str, level: str, sql: str, chances: Mapping[str, Mapping[str, tuple[float, float]]] | None
) -> dict[str, Any]:
    made: dict[str, Any] = {"sql_condition": sql, "label_for_charts": level}
    if chances is not None:
        made["m_probability"], made["u_probability"] = chances[field][level]
        if column := COUNTED.get((field, level)):
            made |= {"tf_adjustment_column": column, "tf_adjustment_weight": 1.0}
            made["disable_tf_exact_match_detection"] = True
    return made
