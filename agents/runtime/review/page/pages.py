"""What a reviewer sees: sign in, the list, one request. Plain values in, HTML out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agents.runtime.review.page.markup import choices, form, frame, hidden, problem, rows, select, text
from agents.runtime.review.text import basis_text, left_text, when_text
from broker.node.policy import MARKED
from schemas.records.fields import Marker
from schemas.vocabulary import DeclineReason

Shown = Mapping[str, Any]

SAYS: Final[Mapping[DeclineReason, str]] = {
    DeclineReason.DETRIMENT: "Telling would be more detrimental to the child than not telling",
    DeclineReason.OWN_DUTIES: "Telling is incompatible with our own duties",
    DeclineReason.ADVERSE_EFFECT: "Telling would have an adverse effect on our functions",
    DeclineReason.NOT_RELEVANT: "Not relevant to what was asked",
    DeclineReason.NOT_PROPORTIONATE: "More than is proportionate",
    DeclineReason.RISK_OF_HARM: "Telling puts somebody at risk of harm",
    DeclineReason.INVESTIGATION: "It would prejudice an investigation or proceedings",
    DeclineReason.LEGAL_BAR: "A court order or an Act forbids it",
    DeclineReason.OTHER_ROUTE: "It is to be asked for in another way",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "answered": "Would leave",
    "not_known": "Would say: not known",
    "known_nothing_relevant": "Would say: known, nothing relevant",
    "withheld": "Would be withheld, visibly",
    "possible_match": "Would say: possible match, confirm identity",
    "could_not_look": "Would say: could not look",
}


def sign_in_page(said: str | None = None) -> str:
    """Who are you?"""
    body = (
        problem(said) + "<h1>Sign in</h1>"
        '<form method="post" action="/sign-in" autocomplete="off">'
        '<label for="reviewer">Reviewer</label>'
        '<input type="text" id="reviewer" name="reviewer" autocomplete="username" required>'
        '<label for="passphrase">Passphrase</label>'
        '<input type="password" id="passphrase" name="passphrase" autocomplete="current-password" required>'
        "<p><button>Sign in</button></p></form>"
    )
    return frame("Sign in", body)


def list_page(waiting: Sequence[Shown], name: str, form_token: str, said: str | None = None) -> str:
    """What waits."""
    if not waiting:
        body = "<p>Nothing waits for a person.</p>"
    else:
        head = "".join(f'<th scope="col">{one}</th>' for one in ("Request", "Time left", "Rated", "Asks for"))
        lines = "".join(
            f'<tr><td><a href="/requests/{text(one["exchange"])}">{text(one["exchange"][:8])}</a></td>'
            f"<td>{text(left_text(one['left_ms']))}</td><td>{text(one['rag'])}</td>"
            f"<td>{text(', '.join(one['categories']))}</td></tr>"
            for one in waiting
        )
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return frame(
        "Requests",
        problem(said) + "<h1>Requests that wait for a person</h1>" + body,
        signed_in=name,
        form_token=form_token,
    )


def case_page(case: Shown, name: str, form_token: str, said: str | None = None) -> str:
    """One request: the question, the people, what would leave, and what can be done about it."""
    parts = [
        problem(said),
        f"<h1>Request {text(case['exchange'][:8])}</h1>",
        _question(case),
        "<h2>Who it is about</h2>",
        *(_subject(one) for one in case["subjects"]),
        "<h2>What would leave</h2>",
        *(_outcome(case, at, one, form_token) for at, one in enumerate(case["outcomes"])),
    ]
    if case["third_parties"]:
        parts.append(
            '<div class="note"><h3>Possible third parties</h3><p>Named in the records and not in the request: '
            f"{text(', '.join(case['third_parties']))}</p></div>"
        )
    parts += [_release(case, form_token), _decline(case, form_token), _confirm(case, form_token)]
    parts.append("<h2>Begin anew</h2>" + _form(case, "clear", form_token, "", "Take back what was said", plain=True))
    return frame(f"Request {case['exchange'][:8]}", "".join(parts), signed_in=name, form_token=form_token)


def done_page(said: str, name: str, form_token: str) -> str:
    """What was done."""
    body = f'<h1>Done</h1><p>{text(said)}</p><p><a href="/">Back to the requests</a></p>'
    return frame("Done", body, signed_in=name, form_token=form_token)


def _question(case: Shown) -> str:
    officer = case["officer"]
    who = ", ".join(filter(None, [officer["name"], officer["position"], officer["contact"]]))
    return rows(
        {
            "To be read until": f"<strong>{text(when_text(case['until'], case['now']))}</strong>;"
            " then what nobody read is withheld",
            "Deadline": text(when_text(case["deadline_at"], case["now"])),
            "Asked by": f"{text(who)} ({_plain(officer['role'])}), {text(case['hub'])}",
            "Why": text(case["asks_why"]),
            "Purpose": _plain(case["purpose"]),
            "Legal basis": "<br>".join(text(basis_text(one)) for one in case["lawful_bases"]),
            "Stage and rating": f"{_plain(case['stage'])}, {text(case['rag'])}; consent {_plain(case['consent'])}",
        }
    )


def _subject(subject: Shown) -> str:
    return f"<h3>{_plain(subject['role'])}: {text(', '.join(subject['names']) or 'unborn')}</h3>" + rows(
        {
            "Born": text(subject["birth_date"] or "not given"),
            "Identifiers": text(", ".join(subject["identifiers"]) or "none given"),
            "Addresses": text("; ".join(subject["addresses"]) or "none given"),
        }
    )


def _outcome(case: Shown, at: int, one: Shown, form_token: str) -> str:
    who = next((", ".join(s["names"]) or "unborn" for s in case["subjects"] if s["ref"] == one["subject"]), "")
    looks = "tag" if one["outcome"] == "answered" else "tag stays"
    parts = [
        f"<h3>{text(one['category'])} about {text(who)}</h3>",
        f'<p><span class="{looks}">{text(OUTCOMES.get(one["outcome"], one["outcome"]))}</span>'
        f" {text(one['reason'] or '')}</p>",
    ]
    if one["sentence"]:
        parts.append(f'<p class="hint">By the rule {text(one["rule"])}: {text(one["sentence"])}</p>')
    if one["outcome"] == "not_known" and one["truth"] not in ("matched", "not-matched"):
        parts.append(f'<p class="hint">In truth {text(one["truth"])}. The hub is not told.</p>')
    if one["written"]:
        parts.append(f'<p class="note">{text(one["written"])}</p>')
    parts += [_record(record) for record in one["records"]]
    if not one["records"]:
        parts += [_fact(fact) for fact in one["facts"]]
    fields = sorted({name for fact in one["facts"] for name in fact})
    if fields:
        parts.append(_redact(case, at, one["category"], fields, form_token))
    if one["records"] and one["outcome"] == "answered":
        parts.append(_narrow(case, at, one, form_token))
    return "".join(parts)


def _record(record: Shown) -> str:
    said = [f"Record {record['record']}, {record['on'] or 'undated'}"]
    if record["labels"]:
        said.append(f"labels: {', '.join(record['labels'])}")
    if not record["leaves"]:
        said.append("stays here")
    why = f'<p class="hint">It waits because: {text(record["waits_because"])}</p>' if record["waits_because"] else ""
    return f"<p><strong>{text('; '.join(said))}</strong></p>{why}" + "".join(_fact(fact) for fact in record["facts"])


def _fact(fact: Mapping[str, Any]) -> str:
    return rows(
        {
            name: text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))
            for name, value in sorted(fact.items())
        }
    )


def _redact(case: Shown, at: int, category: str, fields: Sequence[str], form_token: str) -> str:
    options = [(name, name) for name in fields]
    options.append((MARKED + Marker.THIRD_PARTY.value, "whatever is about people who are not asked about"))
    shown = choices("words", "Take away", options, prefix=f"redact-{at}")
    shown += choices(
        "masked", "How", [("yes", "write **REDACTED** over texts, and take away the rest")], prefix=f"mask-{at}"
    )
    return _form(case, "redact", form_token, hidden("category", category) + shown, "Redact", plain=True)


def _narrow(case: Shown, at: int, one: Shown, form_token: str) -> str:
    options = [(record["record"], f"{record['record']}, {record['on'] or 'undated'}") for record in one["records"]]
    shown = choices("records", "Leave out these records", options, prefix=f"narrow-{at}")
    return _form(case, "narrow", form_token, shown, "Leave out", plain=True)


def _release(case: Shown, form_token: str) -> str:
    needed, pressed = case["needed"], case["pressed"]
    people = "one person" if needed == 1 else "two different people"
    so_far = f" Released so far by: {text(', '.join(pressed))}." if pressed else ""
    again = "It is looked up once more when it is sent, and waits again if it changed."
    note = f"<p>It takes {people} to let it leave.{so_far} {again}</p>"
    return (
        "<h2>Release</h2>"
        + note
        + form(f"/requests/{case['exchange']}/release", form_token, hidden("shown", case["shown"]), "Release as shown")
    )


def _decline(case: Shown, form_token: str) -> str:
    reasons = [
        (one.value, SAYS[one]) for one in DeclineReason if one is not DeclineReason.DETRIMENT or case["has_child"]
    ]
    categories = [("", "Everything that was asked"), *((one, one) for one in case["categories"])]
    hint = "This request is made under the Welsh Act: say in writing why." if case["in_writing"] else "If you like."
    fields = (
        select("category", "What", categories, prefix="decline")
        + select("reason", "Reason", reasons, prefix="decline")
        + '<label for="written">The reason in your own words</label>'
        + f'<p class="hint">{hint} The hub\'s officers read it.</p>'
        + '<textarea id="written" name="written" maxlength="4000"></textarea>'
    )
    return "<h2>Decline</h2>" + _form(case, "decline", form_token, fields, "Decline", plain=True)


def _confirm(case: Shown, form_token: str) -> str:
    people = [(one["ref"], f"{_plain(one['role'])}: {', '.join(one['names']) or 'unborn'}") for one in case["subjects"]]
    fields = select(
        "subject", "Whose identity is the hub to confirm? Nothing is told of them.", people, prefix="confirm"
    )
    return "<h2>Ask to confirm identity</h2>" + _form(case, "confirm", form_token, fields, "Ask to confirm", plain=True)


def _form(case: Shown, act: str, form_token: str, fields: str, button: str, *, plain: bool = False) -> str:
    action = f"/requests/{case['exchange']}/act"
    return form(action, form_token, hidden("act", act) + fields, button, plain=plain)


def _plain(word: str) -> str:
    """A word of the vocabulary as people write it."""
    return text(word.replace("_", " ").capitalize())
