"""The options by which a person and the circumstances of a question are typed in for `agent try`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from schemas.identifiers import IdentifierInvalid, IdentifierKind, parse_identifier
from schemas.messages.fields import IsoDate, Line
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
        click.BadParameter: a name, the date or an identifier is none that a hub could send.
    """
    for name, (kind, what) in _TEXTS.items():
        _check(name, given.get(name), kind, what)
    arguments = {
        name: value for name, value in given.items() if value is not None and name not in ("ids", "categories")
    }
    arguments["identifiers"] = [_identifier(text) for text in given["ids"]]
    arguments["categories"] = list(given["categories"])
    return arguments


_A_LINE = TypeAdapter(Line), "one line of at most 200 characters, all of which show"
_TEXTS: Final[Mapping[str, tuple[TypeAdapter[str], str]]] = {
    "given": _A_LINE,
    "family": _A_LINE,
    "postcode": _A_LINE,
    "birth_date": (TypeAdapter(IsoDate), "a day that there is, written YYYY-MM-DD"),
}
"""What is typed as it stands in a request: checked here, so that whoever typed it is told which option and why."""


def _check(name: str, text: str | None, kind: TypeAdapter[str], what: str) -> None:
    try:
        if text is not None:
            kind.validate_python(text)
    except ValidationError:
        raise click.BadParameter(what, param_hint=f"--{name.replace('_', '-')}") from None


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
