"""The tables of SPEC.md, as Markdown, made from the code that they describe.

Each function gives one table; `tests.documents` puts it between its marks. What cannot be said in a table is written by
hand in SPEC.md. Refuses to know what the packages above add: their failure codes and diagrams come from there.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from schemas import canonical, envelope, vocabulary
from schemas.crypto import keys, padding, sealing
from schemas.crypto.purposes import USES, KeyPurpose, context
from schemas.jsonschema import WireSchema, definitions
from schemas.ledger import note, receipt
from schemas.messages import (
    addendum,
    admission,
    answer,
    directory,
    enrolment,
    entry,
    fields,
    grant,
    party,
    policy,
    request,
    transport,
)
from schemas.messages.entry import ENTRIES, DeedEntry, Entry, HubEntry
from schemas.messages.party import STATED
from schemas.messages.transport import OUTER, Outer
from schemas.subjects import ROUTES

_SHOWN: Final = ("v", "kind", "suite", "part", "parts")
_LIMITS: Final[tuple[tuple[object, str, str], ...]] = (
    (canonical, "MAX_DEPTH", "arrays and objects around a value"),
    (canonical, "MAX_INTEGER", "largest integer; the smallest is its negative"),
    (envelope, "MAX_HEADER_BYTES", "bytes of a header"),
    (envelope, "MAX_SIGNATURES", "signatures in a frame"),
    (envelope, "MAX_PARTS", "parts in a frame"),
    (envelope, "MAX_ENVELOPE_BYTES", "bytes of a frame"),
    (entry, "MAX_LEAF_BYTES", "bytes of a leaf"),
    (receipt, "MAX_RECEIPT_BYTES", "bytes of a receipt"),
    (note, "MAX_NOTE_BYTES", "bytes of a signed note"),
    (note, "MAX_SIGNATURES", "signature lines of a note"),
    (padding, "MAX_CONTENT_BYTES", "bytes of content in one sealed part"),
    (request, "MAX_BODY_BYTES", "bytes of a request's body, and of its addendum's content"),
    (request, "MAX_SUBJECTS", "subjects of a request"),
    (request, "MAX_CATEGORIES", "categories of a request"),
    (answer, "MAX_FIELDS", "field names in the facts of one outcome"),
    (addendum, "MAX_READERS", "readers of an addendum"),
    (party, "MAX_FILE_BYTES", "bytes of a party file"),
    (party, "MAX_KEYS", "keys of a party"),
    (directory, "MAX_LINES", "parties in a directory"),
    (directory, "MAX_LINES_BYTES", "bytes of a directory's lines"),
    (enrolment, "MAX_REQUEST_BYTES", "bytes of an enrolment request's file"),
    (enrolment, "MAX_CERTIFICATE_REQUEST_BYTES", "bytes of a certificate request"),
    (admission, "MAX_REPLY_BYTES", "bytes of an admission reply's file"),
    (policy, "MAX_POLICY_BYTES", "bytes of a policy version's files as they travel"),
    (policy, "MAX_POLICY_FILES", "files of a policy version"),
    (transport, "MAX_STATEMENTS", "statements asked for at once"),
    (transport, "MAX_PAGE_LEAVES", "leaf hashes in a log page"),
    (transport, "MAX_EXTENSION_LEAVES", "leaf hashes in an extension"),
    (keys, "KEY_ID_BYTES", "bytes of a key id"),
    (sealing, "OVERHEAD_BYTES", "bytes a seal adds to its padded content"),
)


def tables() -> dict[str, Callable[[], str]]:
    """Every table by the name of its marks."""
    models: dict[str, type[BaseModel]] = {
        "request-header": request.RequestHeader,
        "request-body": request.RequestBody,
        "told": request.Told,
        "subject": request.Subject,
        "break-glass": request.BreakGlass,
        "grant": grant.Grant,
        "scope": grant.Scope,
        "ruling": grant.Ruling,
        "reason": grant.Reason,
        "answer-header": answer.AnswerHeader,
        "answer-body": answer.AnswerBody,
        "outcome-row": answer.OutcomeRow,
        "outcome-told": answer.OutcomeTold,
        "addendum-header": addendum.AddendumHeader,
        "party-statement": party.PartyStatement,
        "outer-header": Outer,
        "directory-statement": directory.DirectoryStatement,
        "directory-line": directory.DirectoryLine,
        "enrolment-header": enrolment.EnrolmentHeader,
        "admission-header": admission.AdmissionHeader,
        "policy-statement": policy.PolicyStatement,
    }
    by_model = {name: _fields_table(model) for name, model in models.items()}
    return {
        "field-types": field_types,
        "purposes": purpose_table,
        "stated-keys": stated_keys,
        "outer-kinds": outer_kinds,
        "routes": routes,
        "entries": entries,
        "vocabulary": word_lists,
        "limits": limits,
        **by_model,
    }


def field_types() -> str:
    """The field types and their patterns."""
    rows = []
    for name, schema in _named_types().items():
        rule = f"`{schema['pattern']}`" if "pattern" in schema else ""
        if schema["type"] == "integer":
            rule = f"integer, {schema['minimum']} to {schema['maximum']}"
        elif "maxLength" in schema:
            rule = f"{rule or 'text'}, {schema.get('minLength', 0)} to {schema['maxLength']} characters"
        rows.append(("Millis, Count" if name == "Millis" else name, rule.replace("|", r"\|")))
    return _table(("type", "rule"), rows)


def purpose_table() -> str:
    """Purposes of keys (SPEC 3.1)."""
    rows = []
    for purpose, use in USES.items():
        shown = "`" + context(purpose).decode().rstrip("\x00") + "`" if use.signs else ""
        rows.append((f"`{purpose}`", use.holder, use.algorithm, use.meaning, shown))
    return _table(("purpose", "private half held by", "algorithm", "what for", "context, without its zero byte"), rows)


def stated_keys() -> str:
    """Which keys each kind of party states (SPEC 3.6)."""
    rows = [(kind, _words(one for one in KeyPurpose if one in stated)) for kind, stated in STATED.items()]
    return _table(("kind of party", "purposes of the keys in its file"), rows)


def outer_kinds() -> str:
    """Kinds of outer message (SPEC 4.2)."""
    rows = []
    for kind, model in OUTER.items():
        own = [name for name in model.model_fields if name not in Outer.model_fields and name != "kind"]
        rows.append((f"`{kind}`", "lasting" if model.lasting else "passing", _words(own), _doc(model)))
    return _table(("kind", "", "own fields", "meaning"), rows)


def routes() -> str:
    """Subjects and what may be sent on them (SPEC 4.6)."""
    rows = [
        (sender, receiver, f"`{route.subject}`", _words(transport.kind_of(model) for model in route.kinds))
        for (sender, receiver), route in ROUTES.items()
    ]
    return _table(("from", "to", "subject", "kinds"), rows)


def entries() -> str:
    """Types of entry (SPEC 7.1)."""
    rows = []
    for name, model in ENTRIES.items():
        shared: type[Entry] = (
            DeedEntry if issubclass(model, DeedEntry) else HubEntry if issubclass(model, HubEntry) else Entry
        )
        sort = {DeedEntry: "deed", HubEntry: "hub's, numbered", Entry: "keeper's"}[shared]
        own = [field for field in model.model_fields if field not in shared.model_fields]
        rows.append((f"`{name}`", sort, _words(own), _doc(model)))
    return _table(("type", "sort", "own fields", "meaning"), rows)


def word_lists() -> str:
    """The closed lists."""
    lists = [kind for kind in vars(vocabulary).values() if inspect.isclass(kind) and issubclass(kind, StrEnum)]
    return _table(("list", "words"), [(kind.__name__, _words(kind)) for kind in lists if kind is not StrEnum])


def limits() -> str:
    """The limits by number."""
    return _table(("limit", "of"), [(f"{getattr(where, name)}", meaning) for where, name, meaning in _LIMITS])


def _fields_table(model: type[BaseModel]) -> Callable[[], str]:
    def table() -> str:
        whole = definitions([model], "{model}")[model.__name__]
        required = set(whole.get("required", ()))
        rows = []
        for name, schema in whole["properties"].items():
            if name in _SHOWN and "const" in schema:
                continue
            there = "" if name in required else "may be missing"
            is_count = _type_of(schema) == "Millis" and not name.endswith(("_at", "_before", "_after", "_from"))
            rows.append((f"`{name}`", "Count" if is_count else _type_of(schema), there, schema.get("description", "")))
        return _table(("field", "type", "", "meaning"), rows)

    return table


def _type_of(schema: Mapping[str, Any]) -> str:
    bare = {key: value for key, value in schema.items() if key not in ("description", "default")}
    for name, known in _named_types().items():
        if bare == known:
            return name
    if "$ref" in bare:
        return str(bare["$ref"])
    if bare.get("type") == "array":
        low, high = bare.get("minItems", 0), bare.get("maxItems", "")
        return f"{low} to {high} {_type_of(bare['items'])}"
    if "enum" in bare:
        return _words(bare["enum"])
    if "const" in bare:
        return f"`{json.dumps(bare['const'])}`"
    if "patternProperties" in bare:
        return "object, its keys Words"
    if "pattern" in bare:
        return f"`{bare['pattern']}`"
    return str(bare.get("type", "any value of the profile")) + (
        f", {bare['minLength']} to {bare['maxLength']} characters" if "minLength" in bare else ""
    )


def _named_types() -> dict[str, dict[str, Any]]:
    names = [name for name in fields.__all__ if name[0].isupper() and name != "Count"]
    return {name: TypeAdapter(getattr(fields, name)).json_schema(schema_generator=WireSchema) for name in names}


def _doc(model: type) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("|", r"\|")


def _words(words: Iterable[object]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
