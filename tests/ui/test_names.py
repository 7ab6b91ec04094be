"""Names that visitors gave."""

from __future__ import annotations

import json
from html import escape

import pytest

from vidrestore.ui.names import disposition, result_name, shown_name, without_folders


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\a.avi", "a.avi"),
        ("a\r\nSet-Cookie: x=1.mp4", "aSet-Cookie: x=1.mp4"),
        ("\u202egpj.exe", "gpj.exe"),
        ("<script>alert(1)<.mp4", "<script>alert(1)<.mp4"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("\udcff.mkv", ".mkv".strip(".")),
        ("x" * 300 + ".mkv", "x" * 116 + ".mkv"),
    ],
)
def test_a_name_is_shown_without_folders_and_what_is_not_seen(given, shown):
    assert shown_name(given) == shown


def test_the_result_is_called_after_its_input():
    assert result_name("film.avi", ".mkv") == "film-restored.mkv"
    assert result_name("<b>.mp4", ".mp4") == "<b>-restored.mp4"


def test_a_download_has_a_name_that_ends_no_header():
    header = disposition('a"; filename="b\u00e9.mp4')
    assert header.startswith('attachment; filename="a__ filename__b_.mp4"; ')
    assert header.endswith("filename*=UTF-8''a%22%3B%20filename%3D%22b%C3%A9.mp4")


def test_texts_are_told_without_the_servers_folders():
    command = ["vidrestore", "--report", "/srv/page/job-1/r.html", "/films/a.mkv", "/srv/page/job-1/out.mkv"]
    given = {"text": ["/films/a.mkv is damaged; see /srv/page/job-1", 3], "other": None}
    assert without_folders(given, command) == {"text": ["a.mkv is damaged; see the folder", 3], "other": None}


def test_a_report_does_not_tell_folders_whatever_their_letters():
    path = "/films/B\u00fccher & \u6620\u753b/a.mkv"
    text = f"<b>{escape(path)}</b><script>{json.dumps({'file': path})}</script>{path}"
    assert (
        without_folders(text, ["vidrestore", path]) == '<b>a.mkv</b><script>{"file": "a.mkv"}</script>a.mkv'
    )
