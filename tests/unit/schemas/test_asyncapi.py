"""The AsyncAPI document: the routes of the bus and nothing else, and every reference leads somewhere."""

from __future__ import annotations

import json

import yaml
from jsonschema import Draft202012Validator

from schemas.asyncapi import asyncapi_document, asyncapi_text
from schemas.messages.transport import OUTER
from schemas.subjects import ROUTES
from schemas.vectors.entries import outers
from tests.unit.schemas.test_jsonschema import leads_somewhere, refs

DOCUMENT = asyncapi_document()


def test_the_text_says_what_the_document_does() -> None:
    assert yaml.safe_load(asyncapi_text()) == json.loads(json.dumps(DOCUMENT))


def test_no_reference_of_the_document_dangles() -> None:
    found = list(refs(DOCUMENT))
    assert found
    assert not [ref for ref in found if not leads_somewhere(DOCUMENT, ref)]


def test_a_dangling_reference_would_be_found() -> None:
    assert not leads_somewhere(DOCUMENT, "#/components/messages/gossip")
    assert not leads_somewhere(DOCUMENT, "other.yaml#/components")


def test_every_route_is_a_channel_with_a_sender_and_a_receiver() -> None:
    assert len(DOCUMENT["channels"]) == len(ROUTES)
    assert {channel["address"].replace("{token}", "<token>") for channel in DOCUMENT["channels"].values()} == {
        route.subject for route in ROUTES.values()
    }
    actions = [operation["action"] for operation in DOCUMENT["operations"].values()]
    assert actions.count("send") == actions.count("receive") == len(ROUTES)


def test_an_operation_has_only_messages_of_its_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_a_channel_with_a_token_declares_it() -> None:
    for channel in DOCUMENT["channels"].values():
        assert ("{token}" in channel["address"]) is ("parameters" in channel)


def test_every_sample_fits_the_header_schema_of_its_message() -> None:
    for kind, message in DOCUMENT["components"]["messages"].items():
        whole = {"components": DOCUMENT["components"], **message["x-frame-header"]}
        Draft202012Validator.check_schema(whole)
        assert Draft202012Validator(whole).is_valid(json.loads(outers()[kind].encode()))
    assert DOCUMENT["components"]["messages"].keys() == OUTER.keys()
