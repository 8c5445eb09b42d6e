"""The options by which a person and the circumstances of a question are typed in for `agent try`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import click

from schemas.identifiers import IdentifierInvalid, IdentifierKind, parse_identifier
from schemas.vocabulary import Category, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole

F = TypeVar("F", bound=Callable[..., Any])


def trial_options(command: F) -> F:
    """Add the options to a command; `arguments_of` makes the trial of what they gave."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def arguments_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the `try` command.

    Raises:
        click.BadParameter: an identifier is not KIND=VALUE, or does not hold.
    """
    arguments = {
        name: value for name, value in given.items() if value is not None and name not in ("ids", "categories")
    }
    arguments["identifiers"] = [_identifier(text) for text in given["ids"]]
    arguments["categories"] = list(given["categories"])
    return arguments


def _words(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


_OPTIONS = (
    click.option("--given", help="Given names."),
    click.option("--family", help="Family name."),
    click.option("--birth-date", help="YYYY-MM-DD."),
    click.option("--id", "ids", multiple=True, help="KIND=VALUE, for example nhs_number=9691292211; may be repeated."),
    click.option("--postcode", help="Postcode of an address."),
    click.option("--role", type=_words(SubjectRole), help="What the person is in the enquiry."),
    click.option("--purpose", type=_words(Purpose), help="Why it is asked."),
    click.option("--stage", type=_words(Stage), help="Where the enquiry stands."),
    click.option("--rag", type=_words(Rag), help="How the enquiry is rated."),
    click.option("--officer-role", type=_words(OfficerRole), help="Who asks."),
    click.option("--mode", type=_words(Mode), help="Existence or content."),
    click.option(
        "--category", "categories", type=_words(Category), multiple=True, help="Default: all that are answered."
    ),
)


def _identifier(text: str) -> dict[str, str]:
    kind, _, value = text.partition("=")
    try:
        known = IdentifierKind(kind)
        return {"kind": known.value, "value": parse_identifier(known, value).value}
    except ValueError:
        raise click.BadParameter(f"KIND is one of {', '.join(IdentifierKind)}", param_hint="--id") from None
    except IdentifierInvalid as failure:
        raise click.BadParameter(failure.detail, param_hint="--id") from None
