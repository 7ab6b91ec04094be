"""What every request passes first: who asks, from where, and how much at a time."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import Counter
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import OutputError
from .config import LOCAL, Config
from .visitors import Visitor, Visitors

COOKIE = "vidrestore_session"
_TOKEN_COOKIE = "vidrestore_token"
#: The header in which requests that change something bring the visitor's token.
CSRF_HEADER = "x-csrf-token"
#: Requests that are answered at a time, of everyone and of one visitor.
_MOST, _MOST_EACH = 48, 12
_SAFE = ("GET", "HEAD", "OPTIONS")
_COOKIE_SECONDS = 30 * 24 * 3600

#: Nothing is loaded from elsewhere, nothing inline is run, and no other page may hold this one in a frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; media-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application around another, which answers only what may be asked.

    The visitor who asks is in ``scope["state"]["visitor"]``. The address ``/`` and ``/api/session`` make a
    new one of who has no cookie; everything else below ``/api`` needs one.
    """

    def __init__(self, app: ASGIApp, config: Config, visitors: Visitors) -> None:
        self._app = app
        self._config = config
        self._visitors = visitors
        self._asking: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no WebSockets here
            return
        response = HeaderSender(send)
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, response)
            return
        try:
            visitor = self._identify(scope, response)
        except (OutputError, OSError):
            visitor = _error(507, "the server cannot write to its disk, which may be full")
        if isinstance(visitor, Response):
            await visitor(scope, receive, response)
            return
        who = visitor.id if visitor else ""
        if self._asking.total() >= _MOST or self._asking[who] >= _MOST_EACH:
            busy = _error(429, "too many requests at a time; wait for some to be answered")
            await busy(scope, receive, response)
            return
        scope.setdefault("state", {})["visitor"] = visitor
        self._asking[who] += 1
        try:
            await self._app(scope, receive, response)
        finally:
            self._asking[who] -= 1
            self._asking += Counter()  # drops those who ask nothing

    def _refusal(self, scope: Scope) -> Response | None:
        """Why a request is not answered, whoever asks."""
        connection = HTTPConnection(scope)
        headers = connection.headers
        host = headers.get("host", "")
        if self._config.is_local and _name(host) not in LOCAL:
            # Another site's name that leads to this machine: DNS rebinding.
            return _error(421, "this page answers only under the name localhost")
        if not self._admits(connection):
            if self._config.auth:
                asked = {"www-authenticate": 'Basic realm="vidrestore", charset="UTF-8"'}
                return JSONResponse({"error": "user and password are needed"}, 401, asked)
            return _error(401, "open the address with the token that the server printed")
        if self._config.token and scope["method"] == "GET" and "token" in connection.query_params:
            # The secret leaves the address bar, and with it the history.
            # To this host: a browser takes what begins with two slashes for the name of another.
            moved = RedirectResponse("/" + scope["path"].lstrip("/\\"), 303)
            _set_cookie(moved, _TOKEN_COOKIE, self._config.token)
            return moved
        if scope["method"] not in _SAFE:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
            if (origin is not None and urlsplit(origin).netloc != host) or site not in (
                "same-origin",
                "none",
            ):
                return _error(403, "requests from other sites are refused")
        return None

    def _admits(self, connection: HTTPConnection) -> bool:
        """Whether the request brings the password or the token, if one is needed."""
        if self._config.auth:
            return _same(_basic(connection.headers), ":".join(self._config.auth))
        if self._config.token:
            given = (connection.query_params.get("token"), connection.cookies.get(_TOKEN_COOKIE))
            return any(_same(each or "", self._config.token) for each in given)
        return True

    def _identify(self, scope: Scope, response: HeaderSender) -> Visitor | Response | None:
        """The visitor who asks, who may be new; or why not. None where it does not matter."""
        connection = HTTPConnection(scope)
        if scope["path"].startswith("/static/"):
            return None
        visitor = self._visitors.find(connection.cookies.get(COOKIE, ""))
        if visitor is None:
            if scope["path"] not in ("/", "/api/session") or scope["method"] != "GET":
                return _error(401, "begin with GET /api/session, and send its cookie and token")
            added = self._visitors.add()
            if added is None:
                return _error(503, "there are too many visitors; come back later")
            visitor, secret = added
            carrier = Response()
            _set_cookie(carrier, COOKIE, secret)
            response.cookie = carrier.headers["set-cookie"]
        elif scope["method"] not in _SAFE and not _same(
            connection.headers.get(CSRF_HEADER, ""), visitor.csrf
        ):
            return _error(403, f"the header {CSRF_HEADER} must hold the token of GET /api/session")
        return visitor


class HeaderSender:
    """Sends an answer with the headers that every answer has, where it does not set its own."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.cookie: str | None = None  #: to be set

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self.cookie:
                headers.append("set-cookie", self.cookie)
        await self._send(message)


def _error(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


def _set_cookie(response: Response, name: str, value: str) -> None:
    # Lax, so that who follows a link to the page is the same visitor as before. Requests that change
    # something bring the visitor's token as well, and are refused from other sites.
    response.set_cookie(name, value, max_age=_COOKIE_SECONDS, httponly=True, samesite="lax", path="/")


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _basic(headers: Headers) -> str:
    """``user:password`` of an Authorization header."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
