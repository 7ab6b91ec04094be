"""The server of the page, put together."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from .. import __version__
from .api import Api
from .config import Config
from .database import Database
from .folders import Folders
from .guard import Guard
from .jobs import Jobs
from .runner import Runner
from .uploads import Uploads
from .visitors import Visitors
from .worker import Worker

#: Files that the page loads: its own, and those that it shares with the report.
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: Seconds from one look for visitors who have gone to the next.
_HOUR = 3600.0


def make_app(
    config: Config, *, runner: Runner | None = None, worker: Worker | None = None
) -> tuple[ASGIApp, Api]:
    """The application that ``config`` describes, and its API. The folder is made if it does not exist."""
    config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(config.folder / "page.sqlite")
    visitors = Visitors(database, config.folder / "visitors")
    api = Api(
        config=config,
        database=database,
        visitors=visitors,
        uploads=Uploads(database, config.most_bytes),
        folders=Folders(config.opened),
        jobs=Jobs(database),
        runner=runner or Runner(database, config.folder),
        worker=worker or Worker(),
    )
    pages = _static_files()
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_text("vidrestore.ui", "template", "page.html"))

    async def page(request: Request) -> Response:
        return HTMLResponse(template.render(version=__version__, csrf=request.state.visitor.csrf))

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in pages:
            return Response(status_code=404)
        return Response(pages[name], media_type=_TYPES[Path(name).suffix])

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        visitors.forget_old()
        visitors.remove_unfinished()
        api.runner.begin()
        ended = threading.Event()
        keeper = threading.Thread(target=_forget_old, args=(visitors, ended), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()
            api.runner.end()
            api.worker.end()
            visitors.forget_old(at_end=True)
            database.close()

    app = Starlette(
        routes=[
            Route("/", page),
            Route("/static/{name}", static),
            Mount("/api", routes=api.routes()),
        ],
        lifespan=running,
    )
    return Guard(app, config, visitors), api


def _forget_old(visitors: Visitors, ended: threading.Event) -> None:
    while not ended.wait(_HOUR):
        visitors.forget_old()


def _static_files() -> dict[str, str]:
    """What is served below ``/static``, read once: no path of a request is ever opened."""
    found = {}
    for package, folder in (("vidrestore.ui", "static"), ("vidrestore.review", "template")):
        for file in (resources.files(package) / folder).iterdir():
            if Path(file.name).suffix in _TYPES and (folder == "static" or file.name.startswith("pieces.")):
                found[file.name] = file.read_text(encoding="utf-8")
    return found


def _text(package: str, *parts: str) -> str:
    return resources.files(package).joinpath(*parts).read_text(encoding="utf-8")
