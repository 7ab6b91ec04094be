"""The server of the page, put together."""

from __future__ import annotations

import re

from tests.support.page import serving
from tests.support.platforms import posix


def test_the_page_loads_only_what_the_server_has(tmp_path):
    with serving(tmp_path) as server:
        client = server.client()
        status, page = client.get("/")
        assert status == 200
        text = page.decode()
        assert client.csrf in text
        loaded = re.findall(r'(?:src|href)="(?!#)([^"]+)"', text)
        assert len(loaded) > 5
        for path in loaded:
            status, content = client.get(path)
            assert status == 200, path
            assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
            assert b"https://" not in content
        assert not re.search(r"<script(?![^>]*src)|style=|onclick=", text), "nothing inline"


def test_other_static_files_are_not_there(tmp_path):
    with serving(tmp_path) as server:
        client = server.client()
        for name in ("report.js", "page.html", "../app.py", "%2e%2e%2fapp.py", "..%5capp.py", "/etc/passwd"):
            assert client.get(f"/static/{name}")[0] == 404


@posix
def test_the_folder_is_the_servers_own(tmp_path):
    with serving(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
        assert (tmp_path / "new" / "page.sqlite").exists()


def test_a_visitor_with_nothing_to_come_back_for_is_gone_with_the_server(tmp_path):
    with serving(tmp_path) as server:
        server.client()
        assert len(list((tmp_path / "visitors").iterdir())) == 1
    assert list((tmp_path / "visitors").iterdir()) == []
