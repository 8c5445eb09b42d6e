"""What is typed for `agent try` and could stand in no request is refused by its option, and is not repeated."""

from __future__ import annotations

import click
import pytest

from agents.runtime.inspection.trial_options import arguments_of

NOTHING = {"ids": (), "categories": ()}


@pytest.mark.parametrize(
    ("name", "typed", "option"),
    [
        ("birth_date", "1997-02-30", "--birth-date"),
        ("birth_date", "12/08/1997", "--birth-date"),
        ("given", "", "--given"),
        ("given", "\u202eCarys\u202c", "--given"),
        ("family", "x" * 10_000, "--family"),
        ("family", "\udcff", "--family"),
        ("postcode", "ZZ1\n1AA", "--postcode"),
    ],
)
def test_what_could_stand_in_no_request_is_refused_by_its_option(name: str, typed: str, option: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        arguments_of({name: typed, **NOTHING})
    assert refused.value.param_hint == option
    assert not typed or typed not in refused.value.message


def test_a_name_in_any_script_is_taken() -> None:
    typed = {"given": "محمد", "family": "О’Ne\u0301ill", "birth_date": "1997-08-12", **NOTHING}
    assert arguments_of(typed)["family"] == "О’Ne\u0301ill"
