"""The review desk's page as an application: who may ask what of it, and what it answers.

Checked before anything else, in this order: the address it was called by is this machine's own (`Host`: a name that
somebody points at 127.0.0.1 is not); whoever posts does so from this very page (`Origin`); a session; the form's token.
Nothing personal is in an address. Refuses to know what a review is: it asks the room as the command line does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, TypeAlias
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
_NOTED: Final = "Noted. It takes another person, who reads and releases the same."
_RELEASED: Final = "Released. It is looked up once more and leaves, unless something changed."
Serve: TypeAlias = "Callable[[Request], Awaitable[Response]]"


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
    from starlette.routing import Route

    pages = _Pages(room)
    return Starlette(
        routes=[
            Route("/", pages.signed(pages.waiting), methods=["GET"]),
            Route("/sign-in", _guarded(pages.sign_in), methods=["GET", "POST"]),
            Route("/sign-out", pages.signed(pages.sign_out), methods=["POST"]),
            Route("/style.css", _guarded(_styles), methods=["GET"]),
            Route("/requests/{exchange}", pages.signed(pages.case), methods=["GET"]),
            Route("/requests/{exchange}/act", pages.signed(pages.act), methods=["POST"]),
            Route("/requests/{exchange}/release", pages.signed(pages.release), methods=["POST"]),
        ]
    )


class _Pages:
    """What each address answers."""

    def __init__(self, room: ReviewRoom) -> None:
        self._room = room
        self._sessions = Sessions(room.door, room.post.clock)

    def signed(self, serve: Callable[[Request, _Asked], Awaitable[Response]]) -> Serve:
        """What only somebody signed in is answered, and a form only with its token."""

        async def run(request: Request) -> Response:
            known = self._sessions.find(request.cookies.get(COOKIE))
            if known is None:
                return _to("/sign-in")
            asked = _Asked(*known, await _form(request) if request.method == "POST" else {})
            if request.method == "POST" and not is_same(asked.one("form_token"), asked.session.form_token):
                return _refused(403, "The form was of an earlier sign-in. Open the request again.")
            return await serve(request, asked)

        return _guarded(run)

    async def sign_in(self, request: Request) -> Response:
        """Show the form, or let somebody in."""
        if request.method != "POST":
            return _html(sign_in_page())
        fields = await _form(request)
        try:
            who = await self._room.door.sign_in(fields.get("reviewer", [""])[0], fields.get("passphrase", [""])[0])
        except Rejected as failure:
            return _html(sign_in_page(failure.detail), 403)
        self._sessions.close(request.cookies.get(COOKIE))
        answer, token = _to("/"), self._sessions.open(who)
        answer.set_cookie(COOKIE, token, max_age=LONGEST_MS // 1000, httponly=True, samesite="strict")
        return answer

    async def sign_out(self, request: Request, _: _Asked) -> Response:
        """End the session."""
        self._sessions.close(request.cookies.get(COOKIE))
        answer = _to("/sign-in")
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def waiting(self, _: Request, asked: _Asked) -> Response:
        """The list."""
        return _html(list_page(self._room.listed(), asked.who.name, asked.session.form_token))

    async def case(self, request: Request, asked: _Asked, said: str | None = None) -> Response:
        """One request; `said` is what went wrong."""
        name, token = asked.who.name, asked.session.form_token
        try:
            shown = await self._room.shown(request.path_params["exchange"])
        except Rejected as failure:
            return _html(list_page(self._room.listed(), name, token, said or failure.detail), 404)
        return _html(case_page(shown, name, token, said), 422 if said else 200)

    async def act(self, request: Request, asked: _Asked) -> Response:
        """Take something away, decline, or ask to confirm."""
        exchange = request.path_params["exchange"]
        try:
            await self._room.act(asked.who, read_arguments(Acting, _acting(exchange, asked.fields)))
        except Rejected as failure:
            return await self.case(request, asked, failure.detail or failure.code)
        return _to(f"/requests/{exchange}")

    async def release(self, request: Request, asked: _Asked) -> Response:
        """Let what was shown leave."""
        try:
            missing = await self._room.release(asked.who, request.path_params["exchange"], asked.one("shown"))
        except Rejected as failure:
            return await self.case(request, asked, failure.detail or failure.code)
        return _html(done_page(_NOTED if missing else _RELEASED, asked.who.name, asked.session.form_token))


def _guarded(serve: Serve) -> Serve:
    """What this machine alone is answered, and a form only from a page of our own."""

    async def run(request: Request) -> Response:
        if _host_of(request) not in NAMES:
            return _refused(421, "This page is served to this machine alone: ask for it as 127.0.0.1 or localhost.")
        if request.method == "POST" and not _is_own(request):
            return _refused(403, "That was sent from another page. Open the review desk and do it there.")
        try:
            return await serve(request)
        except Failure as failure:
            return _refused(422, failure.detail or failure.code)

    return run


def _html(page: str, status: int = 200) -> Response:
    from starlette.responses import HTMLResponse

    return HTMLResponse(page, status_code=status, headers=HEADERS)


def _to(path: str) -> Response:
    from starlette.responses import RedirectResponse

    return RedirectResponse(path, status_code=303, headers=HEADERS)


def _refused(status: int, said: str) -> Response:
    return _html(frame("Not done", problem(said)), status)


async def _styles(_: Request) -> Response:
    from starlette.responses import Response

    style = (resources.files("agents.runtime.review.page") / "style.css").read_text("utf-8")
    return Response(style, media_type="text/css", headers=HEADERS)


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
