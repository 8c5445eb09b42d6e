"""The review desk's page as an application: who may ask what of it, and what it answers.

Checked before anything else, in this order: the address it was called by is this machine's own (`Host`: a name that
somebody points at 127.0.0.1 is not); whoever posts does so from this very page (`Origin`); a session; the form's token.
Nothing personal is in an address. Refuses to know what a review is: it asks the room as the command line does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from agents.runtime.review.acts import Acting
from agents.runtime.review.page.markup import frame, problem
from agents.runtime.review.page.pages import case_page, done_page, list_page, sign_in_page
from agents.runtime.review.page.sessions import LONGEST_MS, Session, Sessions, is_same
from agents.runtime.review.reviewers import SignedIn
from agents.runtime.review.room import ReviewRoom
from broker.node.command_arguments import read_arguments
from broker.node.serving import App, LocalServer, bind_loopback
from schemas.failures import Failure, Rejected

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE: Final = "ntk-review"
MAX_FORM_BYTES: Final = 64 * 1024
MAX_FORM_FIELDS: Final = 1024
NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""What this machine calls itself; a browser that was led here by another name is not served."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with that a browser posts with the Origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LISTS: Final = ("words", "records")


class FormMalformed(Rejected):
    """A form that no page of ours sends."""

    code = "form_malformed"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form that was sent by whoever is signed in."""

    who: SignedIn
    session: Session
    fields: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """A field's one value; empty if it was not sent."""
        return self.fields.get(name, [""])[0]


class ReviewPage(LocalServer):
    """Serves the page on 127.0.0.1; listens from the moment it is made."""

    def __init__(self, port: int, room: ReviewRoom) -> None:
        super().__init__(bind_loopback(port), review_app(room))
        self.port: int = self.listener.getsockname()[1]


def review_app(room: ReviewRoom) -> App:
    """The application for one review desk."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Route

    sessions = Sessions(room.door, room.post.clock)
    style = (resources.files("agents.runtime.review.page") / "style.css").read_text("utf-8")

    def html(page: str, status: int = 200) -> Response:
        return HTMLResponse(page, status_code=status, headers=HEADERS)

    def to(path: str) -> Response:
        return RedirectResponse(path, status_code=303, headers=HEADERS)

    def refused(status: int, said: str) -> Response:
        return html(frame("Not done", problem(said)), status)

    def guarded(serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            if _host_of(request) not in NAMES:
                return refused(421, "This page is served to this machine alone: ask for it as 127.0.0.1 or localhost.")
            if request.method == "POST" and not _is_own(request):
                return refused(403, "That was sent from another page. Open the review desk and do it there.")
            try:
                return await serve(request)
            except Failure as failure:
                return refused(422, failure.detail or failure.code)

        return run

    def signed(serve: Callable[[Request, _Asked], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            known = sessions.find(request.cookies.get(COOKIE))
            if known is None:
                return to("/sign-in")
            asked = _Asked(*known, await _form(request) if request.method == "POST" else {})
            if request.method == "POST" and not is_same(asked.one("form_token"), asked.session.form_token):
                return refused(403, "The form was of an earlier sign-in. Open the request again.")
            return await serve(request, asked)

        return guarded(run)

    async def sign_in(request: Request) -> Response:
        if request.method == "GET":
            return html(sign_in_page())
        fields = await _form(request)
        try:
            who = await room.door.sign_in(fields.get("reviewer", [""])[0], fields.get("passphrase", [""])[0])
        except Rejected as failure:
            return html(sign_in_page(failure.detail), 403)
        sessions.close(request.cookies.get(COOKIE))
        answer = to("/")
        answer.set_cookie(COOKIE, sessions.open(who), max_age=LONGEST_MS // 1000, httponly=True, samesite="strict")
        return answer

    async def sign_out(request: Request, asked: _Asked) -> Response:
        sessions.close(request.cookies.get(COOKIE))
        answer = to("/sign-in")
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def waiting(_: Request, asked: _Asked) -> Response:
        return html(list_page(room.listed(), asked.who.name, asked.session.form_token))

    async def case(request: Request, asked: _Asked, said: str | None = None) -> Response:
        try:
            shown = await room.shown(request.path_params["exchange"])
        except Rejected as failure:
            page = list_page(room.listed(), asked.who.name, asked.session.form_token, said or failure.detail)
            return html(page, 404)
        page = case_page(shown, asked.who.name, asked.session.form_token, said)
        return html(page, 422 if said else 200)

    async def act(request: Request, asked: _Asked) -> Response:
        exchange = request.path_params["exchange"]
        try:
            await room.act(asked.who, read_arguments(Acting, _acting(exchange, asked.fields)))
        except Rejected as failure:
            return await case(request, asked, failure.detail or failure.code)
        return to(f"/requests/{exchange}")

    async def release(request: Request, asked: _Asked) -> Response:
        try:
            missing = await room.release(asked.who, request.path_params["exchange"], asked.one("shown"))
        except Rejected as failure:
            return await case(request, asked, failure.detail or failure.code)
        said = (
            "Noted. It takes another person, who reads and releases the same."
            if missing
            else "Released. It is looked up once more and leaves, unless something changed."
        )
        return html(done_page(said, asked.who.name, asked.session.form_token))

    async def styles(_: Request) -> Response:
        return Response(style, media_type="text/css", headers=HEADERS)

    return Starlette(
        routes=[
            Route("/", signed(waiting), methods=["GET"]),
            Route("/sign-in", guarded(sign_in), methods=["GET", "POST"]),
            Route("/sign-out", signed(sign_out), methods=["POST"]),
            Route("/style.css", guarded(styles), methods=["GET"]),
            Route("/requests/{exchange}", signed(case), methods=["GET"]),
            Route("/requests/{exchange}/act", signed(act), methods=["POST"]),
            Route("/requests/{exchange}/release", signed(release), methods=["POST"]),
        ]
    )


def _host_of(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None


def _is_own(request: Request) -> bool:
    """Whether a form was sent by a page of the very address it was sent to."""
    return request.headers.get("origin") == f"http://{request.headers.get('host', '')}"


async def _form(request: Request) -> Mapping[str, list[str]]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise FormMalformed("the form is too large")
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=MAX_FORM_FIELDS, strict_parsing=False)
    except ValueError:
        raise FormMalformed("the form cannot be read") from None


def _acting(exchange: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """A form as the arguments of an act; a field that was left empty was not given."""
    given: dict[str, Any] = {"exchange": exchange, "masked": bool(fields.get("masked"))}
    for name, values in fields.items():
        if name in ("form_token", "masked"):
            continue
        given[name] = values if name in _LISTS else values[0].replace("\r\n", "\n")
    return given
