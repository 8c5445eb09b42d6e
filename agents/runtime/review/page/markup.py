"""The frame of every page, and forms: text in, HTML out, everything escaped. Knows no review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

TITLE: Final = "Review desk"


def text(value: object) -> str:
    """A value as text of a page."""
    return escape(str(value), quote=True)


def frame(title: str, body: str, *, signed_in: str | None = None, form_token: str = "") -> str:
    """A whole page; `signed_in` is the name of whoever is."""
    leave = ""
    if signed_in is not None:
        leave = (
            f"<span>Signed in: {text(signed_in)}</span>"
            f'<form method="post" action="/sign-out">{hidden("form_token", form_token)}'
            '<button class="plain">Sign out</button></form>'
        )
    return (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)} - {TITLE}</title>"
        '<link rel="stylesheet" href="/style.css"></head><body>'
        f'<header><a href="/">{TITLE}</a>{leave}</header><main id="main">{body}</main></body></html>'
    )


def hidden(name: str, value: str) -> str:
    """A field that nobody sees."""
    return f'<input type="hidden" name="{text(name)}" value="{text(value)}">'


def form(action: str, form_token: str, fields: str, button: str, *, plain: bool = False) -> str:
    """A form with its token and one button."""
    looks = ' class="plain"' if plain else ""
    return (
        f'<form method="post" action="{text(action)}">{hidden("form_token", form_token)}{fields}'
        f"<button{looks}>{text(button)}</button></form>"
    )


def choices(name: str, legend: str, options: Iterable[tuple[str, str]], *, prefix: str) -> str:
    """Boxes to tick, each with its label."""
    boxes = "".join(
        f'<div class="choice"><input type="checkbox" name="{text(name)}" value="{text(value)}" id="{prefix}-{at}">'
        f'<label for="{prefix}-{at}">{text(label)}</label></div>'
        for at, (value, label) in enumerate(options)
    )
    return f"<fieldset><legend>{text(legend)}</legend>{boxes}</fieldset>"


def select(name: str, label: str, options: Iterable[tuple[str, str]], *, prefix: str) -> str:
    """One of a list."""
    shown = "".join(f'<option value="{text(value)}">{text(said)}</option>' for value, said in options)
    at = f"{prefix}-{text(name)}"
    return f'<label for="{at}">{text(label)}</label><select id="{at}" name="{text(name)}">{shown}</select>'


def rows(pairs: Mapping[str, str]) -> str:
    """A table of what there is to know, a line each; values are HTML already."""
    lines = "".join(f'<tr><th scope="row">{text(name)}</th><td>{value}</td></tr>' for name, value in pairs.items())
    return f"<table>{lines}</table>"


def problem(said: str | None) -> str:
    """What went wrong, where something did."""
    if not said:
        return ""
    return f'<div class="problem" role="alert"><h2>There is a problem</h2><p>{text(said)}</p></div>'
