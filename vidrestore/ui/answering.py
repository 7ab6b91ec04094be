"""How requests of the API are answered: JSON in, JSON out, and what goes wrong in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import OutputError, VidrestoreError
from .uploads import RefusedError
from .visitors import Visitor

#: Bytes of the largest request that is not an upload.
_MOST_BYTES = 64 << 10

#: Answers a request of a visitor with its JSON object.
Answer = Callable[[Request, Visitor, dict[str, Any]], Any]


def route(path: str, method: str, answer: Answer) -> Route:
    """A route whose answer is worked out in a thread, from the JSON object that the request brings."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await _body(request) if method in ("POST", "PATCH") else {}
            found = await run_in_threadpool(answer, request, request.state.visitor, body)
        except RefusedError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except OutputError as error:
            return JSONResponse({"error": str(error)}, 507)
        except OSError as error:  # without names of the server's files
            return JSONResponse({"error": f"the server cannot do this now: {error.strerror}"}, 507)
        except VidrestoreError as error:
            return JSONResponse({"error": str(error)}, 422)
        return found if isinstance(found, Response) else JSONResponse(found)

    return Route(path, endpoint, methods=[method])


async def _body(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MOST_BYTES:
            raise RefusedError(413, "the request is too large")
    try:
        body = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        raise RefusedError(422, "the request is not JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(422, "the request must be a JSON object")
    return body


def integer(value: object) -> int:
    """A number that a visitor gave. Raises RefusedError."""
    text = str(value)
    if not (text.isdecimal() and len(text) < 10):
        raise RefusedError(422, f"{text[:20]!r} is not a number")
    return int(text)


def seconds(value: str) -> float:
    """A time that a visitor gave. Raises RefusedError."""
    try:
        time = float(value)
    except ValueError:
        time = -1.0
    if not 0 <= time < 10**7:
        raise RefusedError(422, f"{value[:20]!r} is not a time in seconds")
    return time
