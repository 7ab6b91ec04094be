"""What visitors of the page may not do, tried against a running server."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.page import Client, Server, serving
from vidrestore.media.probe import open_input
from vidrestore.media.untrusted import VARIABLE
from vidrestore.ui.inspection import look_into

SAMPLES = Path(__file__).parents[1] / "samples"
SECRET = b"what no visitor may see"
LIMIT = 3_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "secret.txt").write_bytes(SECRET)
    (folder / "open").mkdir()
    (folder / "open" / "film.mp4").write_bytes((SAMPLES / "portrait.mp4").read_bytes())
    (folder / "open" / "out.txt").symlink_to(folder / "secret.txt")
    (folder / "open" / "up").symlink_to(folder)
    (folder / "open" / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfilm.mp4\n#EXT-X-ENDLIST\n")
    with serving(folder / "data", opened=(folder / "open",), most_bytes=LIMIT) as running:
        yield running


@pytest.fixture
def client(server) -> Client:
    return server.client()


PATHS = [
    "/../secret.txt",
    "/static/../../secret.txt",
    "/static/..%2f..%2fsecret.txt",
    "/static/%2e%2e/%2e%2e/secret.txt",
    "/static//etc/passwd",
    "/static/..%5c..%5csecret.txt",
    "/api/files/../../../secret.txt",
    "/api/files/..%2f..%2fsecret.txt/look",
    "/api/jobs/..%2f..%2fsecret.txt/result",
    "/api/jobs/%2e%2e/report",
    "//etc/passwd",
    "/api/folders?folder=0&path=../secret.txt",
    "/api/folders?folder=0&path=..",
    "/api/folders?folder=0&path=/etc",
    "/api/folders?folder=0&path=up",
    "/api/folders?folder=0&path=up/data",
    "/api/folders?folder=0&path=out.txt",
    "/api/folders?folder=1&path=.",
    "/api/folders?folder=-1&path=.",
    "/api/folders?folder=0&path=%00",
]


@pytest.mark.parametrize("path", PATHS)
def test_paths_lead_nowhere(client, path):
    status, told = client.get(path)
    assert status in (401, 404, 422)
    assert SECRET not in str(told).encode()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "out.txt",
        "up/secret.txt",
        "/etc/passwd",
        "up/data/page.sqlite",
        "list.m3u8",
        "film.mp4\0",
    ],
)
def test_only_videos_and_photos_in_opened_folders_are_opened(client, path):
    assert client.post("/api/files/open", {"folder": 0, "path": path})[0] in (404, 422)


def movie(path: str) -> bytes:
    """A QuickTime file of three black frames whose samples are said to be in another file, by an alias in its
    ``dref`` (QuickTime File Format, Data Reference Atoms)."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mov") as output:
        stream = output.add_stream("rawvideo", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        output.mux(stream.encode(None))
    data = memory.getvalue()
    place = path.encode() + b"\0" * (len(path) % 2)
    alias = bytes(10) + b"\1v".ljust(28, b"\0") + bytes(12) + b"\1f".ljust(64, b"\0") + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">hH", 2, len(place)) + place
    alias += struct.pack(">hH", -1, 0)
    own = struct.pack(">I4sI", 12, b"url ", 1)  # "in this same file"
    other = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    own = own if own in data else struct.pack(">I4sI", 12, b"alis", 1)
    assert data.count(own) >= 1
    grown = len(other) - len(own)
    at = data.index(own, data.index(b"vmhd"))
    data = data[:at] + other + data[at + len(own) :]
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = data.rindex(name, 0, data.index(other)) - 4
        (size,) = struct.unpack(">I", data[at : at + 4])
        data = data[:at] + struct.pack(">I", size + grown) + data[at + 4 :]
    return data


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(30_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


#: Files that name other files or addresses, or are larger than they say; and the names they come under.
FILES = {
    "a concat file": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "a.ffconcat"),
    "a concat file under a video's name": (b"ffconcat version 1.0\nfile secret.txt\n", "a.mp4"),
    "a concat file of an address": (b"ffconcat version 1.0\nfile http://127.0.0.1/\n", "a.mkv"),
    "a playlist": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "a.m3u8",
    ),
    "a playlist of addresses": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n",
        "a.m3u8",
    ),
    "a playlist of a subfile": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsubfile,,start,0,end,9,,:/etc/passwd\n",
        "a.m3u8",
    ),
    "a master playlist": (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nconcat:/etc/passwd|/etc/hosts\n",
        "a.m3u",
    ),
    "a DASH manifest": (
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        b"<AdaptationSet><Representation id='1'><BaseURL>file:///etc/passwd</BaseURL></Representation>"
        b"</AdaptationSet></Period></MPD>",
        "a.mpd",
    ),
    "a session description": (
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "a.sdp",
    ),
    "a list of IMF packages": (
        b'<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>',
        "CPL.xml",
    ),
    "an ASF redirection": (b"[Reference]\nRef1=http://127.0.0.1/a.asf\n", "a.asx"),
    "an SVG that names a file": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "a.svg",
    ),
    "a page": (b"<!doctype html><script>alert(1)</script>", "a.html"),
    "a pattern of names": (b"x", "frame_%06d.png"),
    "a bomb of a PNG": (bomb(65_000, 65_000), "a.png"),
    "a PNG of 143 megapixels": (bomb(13_000, 11_000), "a.png"),
    "a program": (b"\x7fELF" + bytes(500), "a.mp4"),
    "nothing": (b"", "a.mp4"),
}


#: These are looked into by a process, as the server does; the others in this one, which is quicker.
BY_A_PROCESS = ("a concat file under a video's name", "a playlist", "a bomb of a PNG")


@pytest.mark.parametrize("what", FILES)
def test_files_that_lead_elsewhere_are_not_taken(client, server, what, monkeypatch):
    data, name = FILES[what]
    if what not in BY_A_PROCESS:
        monkeypatch.setenv(VARIABLE, "1")
        monkeypatch.setattr(server.api.uploads, "_inspect", look_into)
    status, told = client.upload(data, name)
    assert (status, "error" in told) == (422, True)
    assert client.get("/api/files")[1] == []


@pytest.mark.parametrize("path", ["/files/secret.bin", "/etc/passwd", "http://127.0.0.1:1/a.bin"])
def test_references_in_a_movie_are_not_followed(client, server, tmp_path, path, monkeypatch):
    """There are no frames, though FFmpeg would take those of the other file if it were told to."""
    (tmp_path / "a.mov").write_bytes(movie(path))
    if path.endswith("secret.bin"):
        (tmp_path / "secret.bin").write_bytes(b"\xc8" * 100_000)
        with av.open(str(tmp_path / "a.mov"), options={"enable_drefs": "1"}) as followed:
            assert next(followed.decode(video=0)).to_ndarray().max() == 200
    monkeypatch.setenv(VARIABLE, "1")
    with open_input(tmp_path / "a.mov") as container:
        assert list(container.decode(video=0)) == []
    monkeypatch.setattr(server.api.uploads, "_inspect", look_into)
    assert client.upload(tmp_path / "a.mov")[0] == 422


def test_ten_gigabytes_are_refused_before_they_arrive(client):
    said = {"Content-Length": str(10 * 10**9)}
    status, told = client.post("/api/files?name=a.mp4", iter([b"x" * 1000]), headers=said)
    assert status == 413
    assert "together" in told["error"]


def test_an_upload_without_an_end_is_refused_at_the_limit(client, server):
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 1 << 16
            yield b"10000\r\n" + bytes(1 << 16) + b"\r\n"

    status, _ = client.post("/api/files?name=a.mp4", parts(), headers={"Transfer-Encoding": "chunked"})
    assert status == 413
    assert sent < 10 * LIMIT
    assert client.get("/api/files")[1] == []


#: What a film is found to be, where that does not matter.
FILM = {"kind": "video", "width": 640, "height": 360, "suffix": ".mp4", "details": "", "words": ""}
NAMES = [
    "<script>alert(1)</script>.mp4",
    '"><img src=x onerror=alert(1)>.mp4',
    "../../../../tmp/evil.mp4",
    "a\r\nSet-Cookie: x=y.mp4",
    "\u202e4pm.exe",
    "-y.mp4",
    "%s%n{{7*7}}.mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_texts_and_nothing_else(client, server, name, monkeypatch):
    monkeypatch.setattr(server.api.uploads, "_inspect", lambda path: FILM)
    status, found = client.upload(b"x", name)
    assert status == 201
    assert not {"/", "\\", "\r", "\n", "\u202e"} & set(found["name"])
    row = server.api.database.one("files", id=found["id"])
    assert Path(row["path"]).name == "video.mp4"
    status, page = client.get("/")
    assert name.encode() not in page, "no name is written into the page by the server"
    client.send("DELETE", f"/api/files/{found['id']}")


OPTIONS = [
    {"encoder_options": ["x264-params=stats=/tmp/x"]},
    {"output": "/tmp/x.mp4"},
    {"input": "/etc/passwd"},
    {"tracks": "/etc/passwd"},
    {"report": "/tmp/x.html"},
    {"report_json": "/tmp/x.json"},
    {"compare": "/tmp/x.mp4"},
    {"keep": "/tmp/x"},
    {"weights": "/tmp/x.onnx"},
    {"config": "/etc/passwd"},
    {"overwrite": True},
    {"device": "cuda:99"},
    {"codec": "libx264 -y /tmp/x"},
    {"preset": "../../x"},
    {"-y": True},
    {"__class__": "x"},
]


def test_options_that_name_files_cannot_be_set(client, server, monkeypatch):
    monkeypatch.setattr(server.api.uploads, "_inspect", lambda path: FILM)
    film = client.upload(b"x", "a.mp4")[1]["id"]
    for options in OPTIONS:
        status, _ = client.post("/api/jobs", {"file": film, "kind": "restore", "options": options})
        assert status == 422, options
    assert client.get("/api/jobs")[1]["jobs"] == []


CROSS = [
    ("POST", "/api/files?name=a.mp4", {"Origin": "http://evil.example"}),
    ("POST", "/api/files?name=a.mp4", {"Origin": "null"}),
    ("POST", "/api/files?name=a.mp4", {"Sec-Fetch-Site": "cross-site"}),
    ("POST", "/api/files?name=a.mp4", {"X-CSRF-Token": ""}),
    ("POST", "/api/jobs", {"Origin": "https://localhost.evil.example"}),
    ("POST", "/api/jobs", {"X-CSRF-Token": "x" * 32}),
    ("DELETE", "/api/session", {"Origin": "http://127.0.0.1:1"}),
    ("PATCH", "/api/files/x/persons", {"Origin": "http://evil.example"}),
    ("GET", "/api/files", {"Host": "evil.example"}),
    ("GET", "/api/session", {"Host": "evil.example:80"}),
]


@pytest.mark.parametrize(("method", "path", "headers"), CROSS)
def test_other_sites_can_do_nothing(client, method, path, headers):
    assert client.send(method, path, b"{}" if method != "GET" else None, headers=headers)[0] in (403, 421)


def test_two_hundred_requests_at_a_time(client, server):
    answers: Counter[int] = Counter()
    lock = threading.Lock()

    def ask() -> None:
        copy = Client(server.port, join=False)
        copy.cookies, copy.csrf = client.cookies, client.csrf
        status = copy.get("/api/options")[0]
        with lock:
            answers[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.total() == 200
    assert set(answers) <= {200, 429}
    assert client.get("/api/files")[0] == 200
