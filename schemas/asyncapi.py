"""The bus as an AsyncAPI 3.0 document, made from the routes and the outer messages.

The payload of every message is a binary frame (SPEC 4.1), which AsyncAPI cannot describe; the schema that stands with
each message is that of the header inside the frame. Refuses to know servers and accounts: they are an installation's.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from schemas.jsonschema import definitions
from schemas.messages.party import PartyKind
from schemas.messages.transport import OUTER, Outer, kind_of
from schemas.subjects import ROUTES, TOKEN, Route

_BINDING: Final = {"nats": {"bindingVersion": "0.1.0"}}
_REF: Final = "#/components/schemas/{model}"
_PLAIN: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_ $/-]*(?<! )")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def asyncapi_document() -> dict[str, Any]:
    """The document as JSON values."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for (sender, receiver), route in ROUTES.items():
        name = f"{sender}-to-{receiver}"
        channels[name] = _channel(sender, receiver, route)
        operations[f"{sender}-sends-to-{receiver}"] = _operation("send", name, route)
        operations[f"{receiver}-receives-from-{sender}"] = _operation("receive", name, route)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "needtoknow bus",
            "version": "1",
            "description": "Every payload is one binary frame: header, signatures, parts (schemas/SPEC.md section 4).",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/octet-stream",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {kind: _message(model) for kind, model in OUTER.items()},
            "schemas": definitions(OUTER.values(), _REF),
        },
    }


def asyncapi_text() -> str:
    """The document in YAML, keys in the order of the document."""
    return "# Generated: make vectors writes this file again.\n" + "\n".join(_yaml(asyncapi_document(), 0)) + "\n"


def _channel(sender: PartyKind, receiver: PartyKind, route: Route) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": route.subject.replace(TOKEN, "{token}"),
        "description": f"From the {sender} to the {receiver}.",
        "messages": {kind_of(model): {"$ref": f"#/components/messages/{kind_of(model)}"} for model in route.kinds},
        "bindings": _BINDING,
    }
    if TOKEN in route.subject:
        channel["parameters"] = {"token": {"description": "The agent's token (SPEC 3.6)."}}
    return channel


def _operation(action: str, channel: str, route: Route) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{kind_of(model)}"} for model in route.kinds],
        "bindings": _BINDING,
    }


def _message(model: type[Outer]) -> dict[str, Any]:
    lasting = "Repeated until it is acknowledged." if model.lasting else "Sent once."
    return {
        "name": kind_of(model),
        "title": model.__name__,
        "summary": " ".join((model.__doc__ or "").split("\n\n")[0].split()),
        "description": lasting,
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary", "description": "A frame (SPEC 4.1)."},
        "x-frame-header": {"$ref": _REF.format(model=model.__name__)},
        "bindings": _BINDING,
    }


def _yaml(value: Any, depth: int) -> list[str]:
    """The lines of a mapping or sequence that is not empty; texts that YAML could read otherwise are quoted as JSON."""
    pad = "  " * depth
    lines = []
    pairs = value.items() if isinstance(value, dict) else ((None, element) for element in value)
    for key, inner in pairs:
        lead = f"{pad}- " if key is None else f"{pad}{_scalar(key)}: "
        if isinstance(inner, dict | list) and inner:
            below = _yaml(inner, depth + 1)
            if key is None:
                lines += [lead + below[0].lstrip(), *below[1:]]
            else:
                lines += [lead.rstrip(), *below]
        else:
            lines.append(lead + _scalar(inner))
    return lines


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    return json.dumps(value, ensure_ascii=True)
