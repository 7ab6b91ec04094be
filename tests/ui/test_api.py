"""The HTTP API, with small programs as jobs and a stand-in for what looks into files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.page import Client, Server, serving, write_tracks
from vidrestore.ui.runner import start_process

SAMPLES = Path(__file__).parents[2] / "samples"
#: What the clip is, which takes a process to find out.
FILM = {
    "kind": "video",
    "format": "mov",
    "width": 640,
    "height": 360,
    "suffix": ".mp4",
    "words": "640 x 360",
    "details": "",
    "duration": 4.0,
    "frames": 96,
}
#: Writes what a run writes: the result, the report, and lines of progress.
RUN = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[-1])
out.write_bytes(b"result of " + pathlib.Path(sys.argv[-2]).read_bytes()[:8])
pathlib.Path(sys.argv[sys.argv.index("--report") + 1]).write_text("<script>1</script>" + " ".join(sys.argv))
print(json.dumps({"event": "done", "frames": 9, "faces": 3, "seconds": 1.0, "model": "lite"}))
"""


class Looker:
    """Tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def ask(self, request):
        self.asked.append(dict(request))
        return {"persons": [{"id": 1, "name": ""}, {"id": 2, "name": "Ada"}]}

    def end(self) -> None:
        pass


@pytest.fixture
def looker():
    return Looker()


@pytest.fixture
def server(tmp_path, looker, monkeypatch):
    def start(command: list[str], errors: Any) -> subprocess.Popen[str]:
        # The arguments of a run, by another program.
        return start_process([sys.executable, "-c", RUN, *command[3:]], errors)

    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "film.mp4").write_bytes((SAMPLES / "portrait.mp4").read_bytes())
    with serving(tmp_path / "page", parts={"worker": looker}, opened=(tmp_path / "films",)) as running:
        monkeypatch.setattr(running.api.runner, "_start", start)
        monkeypatch.setattr(running.api.uploads, "_inspect", lambda path: FILM)
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def film(client: Client) -> str:
    status, found = client.upload(SAMPLES / "portrait.mp4")
    assert status == 201
    return found["id"]


def test_what_the_server_offers(client):
    session = client.get("/api/session")[1]
    assert (session["csrf"], session["folders"]) == (client.csrf, ["films"])
    options = client.get("/api/options")[1]
    assert set(options) == {"video", "photo", "presets"}


def test_a_file_is_taken_shown_and_removed(client, film):
    [found] = client.get("/api/files")[1]
    assert (found["id"], found["name"], found["kind"], found["analysed"]) == (
        film,
        "portrait.mp4",
        "video",
        False,
    )
    assert "path" not in found
    assert client.get(f"/api/files/{film}")[1] == found
    assert client.send("DELETE", f"/api/files/{film}")[0] == 200
    assert client.get("/api/files")[1] == []


def test_a_run_from_the_queue_to_the_download(server, client, film):
    status, job = client.post("/api/jobs", {"file": film, "kind": "restore", "options": {"w": 0.3}})
    assert status == 200
    done = client.wait(job["id"], "done")
    assert (done["progress"]["faces"], done["result"], done["report"]) == (3, True, True)
    status, data, headers = client.send("GET", f"/api/jobs/{job['id']}/result")
    assert (status, data[:10]) == (200, b"result of ")
    assert 'filename="portrait-restored.mp4"' in headers["content-disposition"]
    assert headers["content-type"] == "application/octet-stream"
    status, data, headers = client.send("GET", f"/api/jobs/{job['id']}/report")
    assert (status, data[:18]) == (200, b"<script>1</script>")
    assert b"--report report.html" in data
    assert str(server.api.config.folder).encode() not in data, "a visitor is not told of the server's folders"
    assert "sandbox allow-scripts" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert client.send("DELETE", f"/api/jobs/{job['id']}")[0] == 200
    assert client.get("/api/jobs")[1]["jobs"] == []


def test_the_same_for_a_file_in_place(server, client, tmp_path):
    listing = client.get("/api/folders?folder=0")[1]
    assert [entry["name"] for entry in listing["entries"]] == ["film.mp4"]
    status, file = client.post("/api/files/open", {"folder": 0, "path": "film.mp4"})
    assert (status, file["in_place"]) == (200, True)
    job = client.post("/api/jobs", {"file": file["id"], "kind": "restore"})[1]
    client.wait(job["id"], "done")
    assert (tmp_path / "films" / "film-restored.mp4").exists()
    client.send("DELETE", f"/api/jobs/{job['id']}")
    client.send("DELETE", f"/api/files/{file['id']}")
    assert {path.name for path in (tmp_path / "films").iterdir()} == {"film.mp4", "film-restored.mp4"}


def test_persons_are_shown_with_what_is_set_for_them(server, client, film, looker):
    assert client.get(f"/api/files/{film}/persons")[0] == 409, "its faces have not been found"
    [visitor] = (server.api.config.folder / "visitors").iterdir()
    write_tracks(visitor / film / "tracks.json")
    assert client.send("PATCH", f"/api/files/{film}/persons", {"1": {"w": 0.8, "skip": True}})[0] == 200
    assert client.send("PATCH", f"/api/files/{film}/persons", {"1": {"w": 3}})[0] == 422
    first, second = client.get(f"/api/files/{film}/persons")[1]["persons"]
    assert (first["w"], first["skip"], second["name"], second["w"]) == (0.8, True, "Ada", None)
    assert client.get(f"/api/files/{film}/look?time=0.5&person=1&w=0.25")[0] == 200
    asked = looker.asked[-1]
    assert (asked["time"], asked["person"], asked["options"]) == (0.5, 1, {"w": "0.25"})
    assert client.get(f"/api/files/{film}/look?time=0.5&person=1&weights=/x")[0] == 422


def test_a_job_is_steered(server, client, film):
    job = client.post("/api/jobs", {"file": film, "kind": "restore"})[1]["id"]
    client.wait(job, "done")
    for verb in ("pause", "cancel", "retry"):
        assert client.post(f"/api/jobs/{job}/{verb}")[0] == 409
    assert client.post(f"/api/jobs/{job}/explode")[0] in (404, 405)


def test_two_visitors_see_nothing_of_each_other(server, client, film):
    job = client.post("/api/jobs", {"file": film, "kind": "restore"})[1]["id"]
    client.wait(job, "done")
    other = server.client()
    assert other.get("/api/files")[1] == []
    assert other.get("/api/jobs")[1]["jobs"] == []
    for path in (
        f"files/{film}",
        f"files/{film}/persons",
        f"files/{film}/look",
        f"jobs/{job}",
        f"jobs/{job}/result",
        f"jobs/{job}/report",
    ):
        assert other.get(f"/api/{path}")[0] == 404
    for path in (f"files/{film}", f"jobs/{job}"):
        assert other.send("DELETE", f"/api/{path}")[0] == 404
    for verb in ("pause", "cancel", "retry"):
        assert other.post(f"/api/jobs/{job}/{verb}")[0] == 404
    assert other.post("/api/jobs", {"file": film, "kind": "restore"})[0] == 404
    assert other.send("PATCH", f"/api/files/{film}/persons", {})[0] == 404


def test_who_leaves_takes_everything_along(server, client, film):
    folder = server.api.config.folder / "visitors"
    assert client.send("DELETE", "/api/session")[0] == 200
    assert list(folder.iterdir()) == []
    assert client.get("/api/files")[0] == 401


def test_what_is_set_wrong_is_said_and_queues_nothing(client, film):
    for body in (
        {"file": film, "kind": "restore", "options": {"crf": 99}},
        {"file": film, "kind": "restore", "options": []},
        {"file": film, "kind": "explode"},
    ):
        status, told = client.post("/api/jobs", body)
        assert status == 422
        assert told["error"]
    assert client.get("/api/jobs")[1]["jobs"] == []
