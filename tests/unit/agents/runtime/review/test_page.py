"""The page: for reviewers on this machine alone, in forms that no other page can send, without a name in an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from agents.runtime.review.page.app import review_app
from agents.runtime.review.page.sessions import IDLE_MS
from agents.runtime.review.reviewers import remove_reviewer
from broker.node.serving import App
from schemas.vocabulary import AgencyReason, Outcome
from tests.unit.agents.runtime.hub import Asked
from tests.unit.agents.runtime.review.conftest import INTELLIGENCE, PASSPHRASE, Desk

HOST = "127.0.0.1:8743"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Browser:
    """Speaks to the application as a browser would: keeps the cookie, sends Host and Origin."""

    app: App
    cookie: str = ""
    said: list[str] = field(default_factory=list)

    async def get(self, path: str, *, host: str = HOST) -> Answer:
        return await self._ask("GET", path, {"host": host}, b"")

    async def post(
        self, path: str, fields: Mapping[str, Any], *, host: str = HOST, origin: str | None = f"http://{HOST}"
    ) -> Answer:
        headers = {"host": host, "content-type": "application/x-www-form-urlencoded"}
        if origin is not None:
            headers["origin"] = origin
        return await self._ask("POST", path, headers, urlencode(fields, doseq=True).encode())

    async def sign_in(self, reviewer: str = "ann", passphrase: str = PASSPHRASE) -> Answer:
        return await self.post("/sign-in", {"reviewer": reviewer, "passphrase": passphrase})

    async def token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', (await self.get("/")).text)
        assert found is not None
        return found[1]

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if self.cookie:
            headers["cookie"] = self.cookie
        sent: list[Any] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        if "set-cookie" in answered:
            self.said.append(answered["set-cookie"])
            self.cookie = answered["set-cookie"].partition(";")[0]
        text = b"".join(part.get("body", b"") for part in sent[1:]).decode()
        return Answer(sent[0]["status"], answered, text)


@pytest.fixture
async def browser(desk: Desk) -> Browser:
    return Browser(review_app(desk.room))


async def act(browser: Browser, asked: Asked, **fields: Any) -> Answer:
    return await browser.post(f"/requests/{asked.exchange}/act", {"form_token": await browser.token(), **fields})


async def release(browser: Browser, desk: Desk, asked: Asked) -> Answer:
    page = (await browser.get(f"/requests/{asked.exchange}")).text
    shown = re.search(r'name="shown" value="([0-9a-f]+)"', page)
    assert shown is not None
    fields = {"form_token": await browser.token(), "shown": shown[1]}
    return await browser.post(f"/requests/{asked.exchange}/release", fields)


async def test_a_reviewer_reads_a_request_declines_part_and_releases_the_rest(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    assert (await browser.sign_in()).headers["location"] == "/"
    assert asked.exchange in (await browser.get("/")).text
    page = (await browser.get(f"/requests/{asked.exchange}")).text
    for said in ("Octavia Chislett", "Sam Carr", "Bruising seen at nursery.", "ca1989-47", "2026-02-01"):
        assert said in page
    declined = await act(
        browser, asked, act="decline", category=INTELLIGENCE, reason="investigation", written="A case."
    )
    assert declined.status == 303
    assert "A case." in (await browser.get(f"/requests/{asked.exchange}")).text
    assert "Released." in (await release(browser, desk, asked)).text
    row = (await desk.rows(asked))["a", INTELLIGENCE]
    assert (row.outcome, row.reason) == (Outcome.WITHHELD, AgencyReason.DECLINED_INVESTIGATION)


async def test_whoever_is_not_signed_in_is_asked_to_and_shown_nothing(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    for path in ("/", f"/requests/{asked.exchange}"):
        answer = await browser.get(path)
        assert (answer.status, answer.headers["location"], answer.text) == (303, "/sign-in", "")
    wrong = await browser.sign_in(passphrase="another passphrase")
    assert wrong.status == 403
    assert browser.cookie == ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8743", "127.0.0.1.evil.example", "", "[::1"])
async def test_a_name_that_somebody_points_at_this_machine_is_not_served(
    desk: Desk, browser: Browser, host: str
) -> None:
    await browser.sign_in()
    assert (await browser.get("/", host=host)).status == 421
    assert (await browser.post("/sign-in", {}, host=host, origin=f"http://{host}")).status == 421


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:9999", f"https://{HOST}"])
async def test_what_another_page_sends_is_refused(desk: Desk, browser: Browser, origin: str | None) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    fields = {"form_token": await browser.token(), "act": "clear"}
    assert (await browser.post(f"/requests/{asked.exchange}/act", fields, origin=origin)).status == 403
    assert (await browser.post("/sign-in", {"reviewer": "ann"}, origin=origin)).status == 403
    assert [one for one in await desk.own_log() if one["type"] == "reviewed"] == []


async def test_a_form_without_the_sessions_token_is_refused(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 64}):
        assert (await browser.post(f"/requests/{asked.exchange}/act", {**token, "act": "clear"})).status == 403
    assert [one for one in await desk.own_log() if one["type"] == "reviewed"] == []


async def test_a_session_ends_when_idle_when_signed_out_and_when_the_reviewer_goes(
    desk: Desk, browser: Browser
) -> None:
    await browser.sign_in()
    desk.world.clock.turn(IDLE_MS - 1)
    assert (await browser.get("/")).status == 200
    desk.world.clock.turn(IDLE_MS)
    assert (await browser.get("/")).status == 303
    await browser.sign_in()
    kept = browser.cookie
    await browser.post("/sign-out", {"form_token": await browser.token()})
    browser.cookie = kept
    assert (await browser.get("/")).status == 303
    await browser.sign_in()
    remove_reviewer(desk.world.home, "ann")
    assert (await browser.get("/")).status == 303


async def test_every_answer_is_kept_by_nobody_and_may_load_nothing_from_elsewhere(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    assert re.search(r"; httponly", browser.said[0], re.IGNORECASE)
    assert re.search(r"; samesite=strict", browser.said[0], re.IGNORECASE)
    paths = ("/", "/sign-in", "/style.css", f"/requests/{asked.exchange}", f"/requests/{'0' * 32}")
    for answer in [await browser.get(path) for path in paths] + [await browser.get("/", host="evil.example")]:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script|https?://|\son[a-z]+=|style=", answer.text)


async def test_what_a_hub_or_a_record_says_is_shown_as_text(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    await act(browser, asked, act="decline", reason="not_relevant", written='"><script>alert(1)</script>')
    page = (await browser.get(f"/requests/{asked.exchange}")).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_no_address_names_anybody(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    page = (await browser.get(f"/requests/{asked.exchange}")).text
    addresses = set(re.findall(r'(?:href|action)="([^"]*)"', page))
    assert {re.sub(r"[0-9a-f]{32}", "ID", one) for one in addresses} == {
        "/",
        "/style.css",
        "/sign-out",
        "/requests/ID/act",
        "/requests/ID/release",
    }


async def test_each_field_has_its_label_and_each_page_its_heading(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    pages = [(await browser.get("/sign-in")).text]
    await browser.sign_in()
    pages += [(await browser.get("/")).text, (await browser.get(f"/requests/{asked.exchange}")).text]
    for page in pages:
        assert len(re.findall(r"<h1>", page)) == 1
        assert '<html lang="en-GB">' in page
        ids = re.findall(r'<(?:input|select|textarea)(?! type="hidden")[^>]*\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(ids) <= set(re.findall(r'<label for="([^"]+)"', page))
        assert len(ids) == len(re.findall(r'<(?:input(?! type="hidden")|select|textarea)', page))


async def test_what_cannot_be_done_is_said_on_the_page(desk: Desk, browser: Browser) -> None:
    asked = await desk.wait()
    await browser.sign_in()
    bad = await act(browser, asked, act="redact", category=INTELLIGENCE, words=["no_such_field"])
    assert bad.status == 422
    assert "There is a problem" in bad.text
    for shown in ("0" * 64, "", "é"):
        stale = await browser.post(
            f"/requests/{asked.exchange}/release", {"form_token": await browser.token(), "shown": shown}
        )
        assert stale.status == 422
        assert "look at it again" in stale.text
    assert desk.world.answers == []
