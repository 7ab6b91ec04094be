"""The HTTP API: what the page does, and programs can do too. docs/page.md describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..media.photo.formats import MOST_PIXELS as PHOTO_PIXELS
from .answering import integer, route, seconds
from .config import Config
from .database import ACTIVE, DONE, PAUSED, Database, Row
from .fields import checked, described_fields, presets
from .folders import Folders
from .jobs import Jobs, report_of, tracks_of
from .names import disposition, without_folders
from .people import checked_settings
from .runner import Runner
from .uploads import RefusedError, Uploads
from .visitors import Visitor, Visitors
from .worker import Worker

#: What a report may do: it is a page with a script of its own, shown without access to this one.
_REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)


@dataclass(frozen=True, kw_only=True)
class Api:
    """The answers, over the parts of the server. They raise RefusedError for what a visitor may not do or
    asks for wrongly, and otherwise the VidrestoreError of what they do, which become HTTP's errors."""

    config: Config
    database: Database
    visitors: Visitors
    uploads: Uploads
    folders: Folders
    jobs: Jobs
    runner: Runner
    worker: Worker

    def routes(self) -> list[Route]:
        """The addresses, all below ``/api``."""
        return [
            route("/session", "GET", self.session),
            route("/session", "DELETE", self.leave),
            route("/options", "GET", self.options),
            route("/folders", "GET", self.list_folder),
            route("/files", "GET", self.list_files),
            Route("/files", self.upload, methods=["POST"]),
            route("/files/open", "POST", self.open_file),
            route("/files/{file}", "GET", self.show_file),
            route("/files/{file}", "DELETE", self.remove_file),
            route("/files/{file}/persons", "GET", self.persons),
            route("/files/{file}/persons", "PATCH", self.set_persons),
            route("/files/{file}/look", "GET", self.look),
            route("/jobs", "GET", self.list_jobs),
            route("/jobs", "POST", self.add_job),
            route("/jobs/{job}", "GET", self.show_job),
            route("/jobs/{job}", "DELETE", self.remove_job),
            route("/jobs/{job}/result", "GET", self.result),
            route("/jobs/{job}/report", "GET", self.report),
            *(route(f"/jobs/{{job}}/{verb}", "POST", self.steer) for verb in ("pause", "cancel", "retry")),
        ]

    def session(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Who asks: the token for requests that change something, and what is possible here."""
        return {
            "csrf": visitor.csrf,
            "most_bytes": self.config.most_bytes,
            "most_pixels": PHOTO_PIXELS,
            "folders": self.folders.names,
        }

    def leave(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Remove everything of the visitor; what runs is cancelled first."""
        for job in self.database.all("jobs", visitor=visitor.id, state=ACTIVE):
            self.runner.stop(job["id"], keep=False)
        self.visitors.forget(visitor.id)
        return {}

    def options(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """The options that may be set, and the presets."""
        return {
            "video": described_fields("video"),
            "photo": described_fields("photo"),
            "presets": presets(),
        }

    def list_folder(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """What is in an opened folder."""
        query = request.query_params
        return self.folders.listing(integer(query.get("folder", "0")), query.get("path", ""))

    async def upload(self, request: Request) -> Response:
        """Take a file: the body of the request is its content."""
        length = request.headers.get("content-length", "")
        try:
            row = await self.uploads.take(
                request.state.visitor,
                request.query_params.get("name", ""),
                int(length) if length.isdecimal() else None,
                request.stream(),
            )
        except RefusedError as error:
            # The rest of the body is not read.
            return JSONResponse({"error": str(error)}, error.status, {"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        return JSONResponse(self._file(request.state.visitor, row), 201)

    def open_file(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Work on a file of an opened folder where it is."""
        path = self.folders.resolve(integer(body.get("folder", 0)), str(body.get("path", "")))
        if not path.is_file():
            raise RefusedError(404, "this is a folder; name a file in it")
        return self._file(visitor, self.uploads.open_in_place(visitor, path))

    def list_files(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """The files of the visitor."""
        return [self._file(visitor, row) for row in self.database.all("files", visitor=visitor.id)]

    def show_file(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """A file of the visitor."""
        return self._file(visitor, self._own("files", request.path_params["file"], visitor))

    def remove_file(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Remove a file; one in an opened folder is left where it is."""
        row = self._own("files", request.path_params["file"], visitor)
        if self.database.one("jobs", file=row["id"], state=(*ACTIVE, PAUSED)):
            raise RefusedError(409, "a job of this file is not at its end; cancel it first")
        self.uploads.remove(visitor, row)
        return {}

    def persons(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Who was found in a video, what is set for them, and the moments that may go wrong."""
        row, tracks = self._analysed(request, visitor)
        found = self.worker.ask({"do": "persons", "path": row["path"], "tracks": str(tracks)})
        for person in found["persons"]:
            own = {"w": None, "strength": None, "skip": False, "name": person["name"]}
            person.update(own | row["settings"].get(str(person["id"]), {}))
        return found

    def set_persons(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Set ``w``, ``strength``, ``skip`` and ``name`` of persons."""
        row, _ = self._analysed(request, visitor)
        settings = checked_settings(body, row["settings"])
        self.database.update("files", {"settings": settings}, id=row["id"])
        return settings

    def look(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """A face of a video at a time, or a photo, before and after."""
        row = self._own("files", request.path_params["file"], visitor)
        query = dict(request.query_params)
        time, person = seconds(query.pop("time", "0")), query.pop("person", None)
        is_video = row["about"]["kind"] == "video"
        tracks = str(self._analysed(request, visitor)[1]) if is_video else None
        return self.worker.ask(
            {
                "do": "look",
                "path": row["path"],
                "tracks": tracks,
                "time": time,
                "person": None if person is None else integer(person),
                "options": checked(query, row["about"]["kind"]),
            }
        )

    def list_jobs(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """The jobs of the visitor, in the order in which they were asked for."""
        ahead = self.database.all("jobs", state=ACTIVE)
        jobs = self.database.all("jobs", visitor=visitor.id, order="made")
        return {
            "jobs": [self._job(visitor, row) for row in jobs],
            "others": sum(row["visitor"] != visitor.id for row in ahead),
        }

    def add_job(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Queue a job: find the faces of a video, or restore a file."""
        row = self._own("files", str(body.get("file", "")), visitor)
        options = body.get("options", {})
        if body.get("kind") == "analyze":
            job = self.jobs.analyze(visitor, row)
        elif body.get("kind") == "restore" and isinstance(options, dict):
            job = self.jobs.restore(visitor, row, options)
        else:
            raise RefusedError(422, "kind must be analyze or restore, and options an object")
        self.runner.wake()
        return self._job(visitor, job)

    def show_job(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """A job of the visitor."""
        return self._job(visitor, self._own("jobs", request.path_params["job"], visitor))

    def steer(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Pause or cancel a job, or queue it again."""
        row = self._own("jobs", request.path_params["job"], visitor)
        verb = request.url.path.rsplit("/", 1)[-1]
        if verb == "retry":
            done = self.jobs.again(row)
            self.runner.wake()
        else:
            done = self.runner.stop(row["id"], keep=verb == "pause")
        if not done:
            raise RefusedError(409, f"a job that is {row['state']} cannot be asked to {verb}")
        return self._job(visitor, self._own("jobs", row["id"], visitor))

    def remove_job(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """Remove a job with its result, unless that lies in an opened folder."""
        self.jobs.remove(visitor, self._own("jobs", request.path_params["job"], visitor))
        return {}

    def result(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """The file that a job has made."""
        row = self._own("jobs", request.path_params["job"], visitor)
        path = Path(row["result"])
        if row["state"] != DONE or row["kind"] != "restore" or not path.is_file():
            raise RefusedError(404, "there is no result (yet)")
        headers = {"content-disposition": disposition(row["name"])}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    def report(self, request: Request, visitor: Visitor, body: Mapping[str, Any]) -> Any:
        """What a run did, as a page."""
        row = self._own("jobs", request.path_params["job"], visitor)
        path = report_of(visitor, row)
        if row["state"] != DONE or not path.is_file():
            raise RefusedError(404, "there is no report (yet)")
        headers = {"content-security-policy": _REPORT_POLICY, "x-frame-options": "SAMEORIGIN"}
        text = without_folders(path.read_text(encoding="utf-8"), row["command"])
        return HTMLResponse(text, headers=headers)

    def _own(self, table: str, identity: str, visitor: Visitor) -> Row:
        """The file or job with this id, if it is the visitor's: others are told nothing, not even that there
        is one. Raises RefusedError."""
        row = self.database.one(table, id=identity, visitor=visitor.id)
        if row is None:
            raise RefusedError(404, "there is no such thing here")
        return row

    def _analysed(self, request: Request, visitor: Visitor) -> tuple[Row, Path]:
        row = self._own("files", request.path_params["file"], visitor)
        tracks = tracks_of(visitor, row)
        if not tracks.exists():
            raise RefusedError(409, "its faces have not been found yet; queue the job analyze first")
        return row, tracks

    def _file(self, visitor: Visitor, row: Row) -> dict[str, Any]:
        about = {name: value for name, value in row["about"].items() if name != "suffix"}
        shown = {name: row[name] for name in ("id", "name", "size")}
        analysed = about["kind"] == "video" and tracks_of(visitor, row).exists()
        return {**shown, **about, "in_place": bool(row["opened"]), "analysed": analysed}

    def _job(self, visitor: Visitor, row: Row) -> dict[str, Any]:
        names = ("id", "file", "name", "kind", "state", "options", "progress", "messages")
        done = row["state"] == DONE
        return {
            **{name: row[name] for name in names},
            "report": done and report_of(visitor, row).is_file(),
            "result": done and row["kind"] == "restore" and Path(row["result"]).is_file(),
        }
