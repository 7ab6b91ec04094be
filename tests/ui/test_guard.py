"""What every request passes first."""

from __future__ import annotations

import base64
import threading

import pytest

from tests.support.page import Client, serving
from vidrestore.ui.guard import _MOST_EACH


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("page")) as running:
        yield running


def test_every_answer_forbids_what_a_page_can_do_to_another(server):
    client = server.client()
    for path in ("/", "/api/session", "/static/page.js", "/nothing"):
        headers = client.send("GET", path)[2]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_the_cookie_is_kept_from_scripts_and_other_sites(server):
    cookie = server.client(join=False).send("GET", "/")[2]["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie  # a link from another site leads to the same visitor


def test_a_link_with_the_token_does_not_lead_to_another_site(tmp_path):
    config = {"host": "0.0.0.0", "token": "secret"}
    with serving(tmp_path, **config) as server:
        client = server.client(join=False)
        for path in ("//evil.example/", "/\\evil.example", "/"):
            status, _, headers = client.send("GET", f"{path}?token=secret")
            assert status == 303
            assert not headers["location"].lstrip().startswith(("//", "/\\", "http"))


def test_a_visitor_is_made_only_by_the_first_page(server):
    stranger = server.client(join=False)
    for method, path in (("GET", "/api/files"), ("POST", "/api/session"), ("POST", "/"), ("GET", "/x")):
        assert stranger.send(method, path)[0] == 401
    assert stranger.cookies == {}


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-CSRF-Token": ""}, 403),
        ({"X-CSRF-Token": "wrong"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example:80"}, 421),
        ({"Host": "[::1"}, 421),
    ],
)
def test_requests_of_other_sites_are_refused(server, method, headers, status):
    assert server.client().send(method, "/api/session", headers=headers)[0] == status


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_has_several_names(server, host):
    here = f"{host}:{server.port}"
    client = server.client()
    assert client.send("DELETE", "/api/session", headers={"Host": here, "Origin": f"http://{here}"})[0] == 200


def test_a_token_of_another_visitor_is_refused(server):
    one, two = server.client(), server.client()
    two.csrf = one.csrf
    assert two.send("DELETE", "/api/session")[0] == 403


def test_a_password_is_asked_for(tmp_path):
    with serving(tmp_path, auth=("ada", "löve:lace")) as server:
        stranger = server.client(join=False)
        for given in ("", "Basic", "Basic !!", "Basic " + base64.b64encode(b"ada:x").decode(), "Bearer x"):
            status, _, headers = stranger.send("GET", "/static/page.js", headers={"Authorization": given})
            assert status == 401
            assert headers["www-authenticate"].startswith("Basic")
        right = "Basic " + base64.b64encode("ada:löve:lace".encode()).decode()
        assert stranger.send("GET", "/", headers={"Authorization": right})[0] == 200


def test_a_token_is_asked_for_and_leaves_the_address(tmp_path):
    with serving(tmp_path, host="0.0.0.0", token="secret") as server:
        stranger = server.client(join=False)
        for path in ("/", "/?token=", "/?token=wrong", "/api/session", "/static/page.js"):
            assert stranger.send("GET", path)[0] == 401
        assert stranger.send("GET", "/", headers={"Cookie": "vidrestore_token=wrong"})[0] == 401
        status, _, headers = stranger.send("GET", "/?token=secret")
        assert (status, headers["location"]) == (303, "/")
        assert stranger.send("GET", "/")[0] == 200
        assert stranger.send("GET", "/", headers={"Host": "films.example"})[0] == 200


def test_one_visitor_asks_only_so_much_at_a_time(tmp_path):
    gate = threading.Event()

    class Slow:
        def ask(self, request):
            gate.wait(20)
            return {}

        def end(self):
            gate.set()

    with serving(tmp_path, parts={"worker": Slow()}) as server:
        client, other = server.client(), server.client()
        about = {"kind": "photo", "width": 1, "height": 1}
        visitor = server.api.database.all("visitors")[0]["id"]
        row = {"id": "f", "visitor": visitor, "name": "n", "path": "p", "opened": 0, "size": 1}
        server.api.database.add("files", row | {"about": about, "made": 1.0})
        found: list[int] = []

        def look() -> None:
            copy = Client(server.port, join=False)
            copy.cookies, copy.csrf = client.cookies, client.csrf
            found.append(copy.get("/api/files/f/look")[0])

        threads = [threading.Thread(target=look) for _ in range(40)]
        for thread in threads:
            thread.start()
        while len(found) < 40 - _MOST_EACH:
            gate.wait(0.02)
        assert set(found) == {429}
        assert other.get("/api/files")[0] == 200, "others are answered meanwhile"
        gate.set()
        for thread in threads:
            thread.join()
        assert found.count(200) == _MOST_EACH
