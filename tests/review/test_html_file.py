"""The report is one file that asks nothing of any network, and of bounded size."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support.clips import write
from tests.support.notes import face, frames, lit, record
from tests.support.reports import flagged, photograph
from tests.support.runs import face_frame
from vidrestore.restoration.guarded import Guards
from vidrestore.review.html_file import render, write_html
from vidrestore.review.pictures import data_uri


class Page(HTMLParser):
    """The start tags of a page with their attributes, and the text in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.scripts and self.tags[-1][0] == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    return render(flagged(input="a <b> & 'c'.mp4"), photograph)


def test_nothing_is_asked_of_a_network(page):
    for _, attributes in Page(page).tags:
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "default-src 'none'" in page
    assert not re.search(r"(?:https?:)?//[a-z]", page.replace("http://www.w3.org/2000/svg", ""))


def test_texts_are_escaped(page):
    made = record(frames([face()]))
    evil = "</script><script>alert(1)</script>"
    object.__setattr__(made.origin, "name", evil)
    try:
        text = render(made, photograph)
    finally:
        object.__setattr__(made.origin, "name", "in.mp4")
    assert evil not in text
    found = Page(text)
    assert len(found.scripts) == len(Page(page).scripts) == 2
    assert json.loads(found.scripts[0])["title"] == evil


def test_pictures_have_a_text_and_fields_a_label(page):
    found = Page(page)
    assert all(attributes.get("alt") for tag, attributes in found.tags if tag == "img")
    assert dict(found.tags)["html"] == {"lang": "en"}
    headings = [tag for tag, _ in found.tags if re.fullmatch(r"h\d", tag)]
    assert headings[:2] == ["h1", "h2"]


def test_a_run_without_flags_says_so():
    assert "Nothing was flagged" in render(record(frames([face()])), photograph)


def test_what_each_worker_did_is_listed():
    made = record(frames([face()]))
    worker = {"worker": "worker 3 on <machine>", "segments": 2, "frames": 250, "seconds": 12.34}
    assert "Workers" not in render(made, photograph)
    text = render(replace(made, times={"seconds": 20.0, "workers": [worker]}), photograph)
    row = '<th scope="row">worker 3 on &lt;machine&gt;</th><td>2</td><td>250</td><td>12.3</td>'
    assert row in text


def test_pictures_come_from_in_and_out(tmp_path):
    """A part of IN: OUT begins with it."""
    shown = [face_frame(160, 120, "yuv420p", 2 * i) for i in range(20)]
    source = write(tmp_path / "in.mkv", shown, codec="ffv1")
    out = write(tmp_path / "out.mkv", shown[10:], codec="ffv1")
    notes = frames(*([face(box=(40, 20, 90, 90), covered=0.2 * (i == 4))] for i in range(10)), start=10)
    file = io.StringIO()
    write_html(record(notes, input=source, output=out, start="0.4"), file)
    [flag] = json.loads(Page(file.getvalue()).scripts[0])["flags"]
    before, after = flag["pictures"]
    assert before == after  # nothing was changed in this OUT


def pictures_of(notes: Any, **given: Any) -> list[str | None]:
    file = io.StringIO()
    write_html(record(notes, **given), file)
    [flag] = json.loads(Page(file.getvalue()).scripts[0])["flags"]
    return flag["pictures"]


def test_pictures_of_an_enlarged_out_show_the_same_place(tmp_path):
    shown = [face_frame(160, 120, "yuv420p", 2 * i) for i in range(10)]
    source = write(tmp_path / "in.mkv", shown, codec="ffv1")
    large = [frame.reformat(320, 240) for frame in shown]
    out = write(tmp_path / "out.mkv", large, codec="ffv1")
    notes = frames(*([face(box=(40, 20, 90, 90), covered=0.2 * (i == 4))] for i in range(10)))
    pictures = pictures_of(notes, input=source, output=out, upscale=2)
    before, after = (
        cv2.imdecode(np.frombuffer(base64.b64decode(picture.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
        for picture in pictures
    )
    assert np.abs(before.astype(int) - after).mean() < 6


@pytest.mark.parametrize("late", [20, 35])
def test_pictures_of_a_part_are_found_whatever_comes_first_in_it(tmp_path, late):
    """Of 29.97 frames a second, the first one after -ss seldom lies at the time 0 of OUT."""
    shown = [face_frame(160, 120, "yuv420p", 3 * i) for i in range(20)]
    base = Fraction(1, 1000)
    source = write(
        tmp_path / "in.mkv", shown, codec="ffv1", time_base=base, times=[40 * i for i in range(20)]
    )
    times = [late + 40 * i for i in range(9)]
    out = write(tmp_path / "out.mkv", shown[11:], codec="ffv1", time_base=base, times=times)
    notes = frames(*([face(box=(40, 20, 90, 90), covered=0.2 * (i == 3))] for i in range(9)), start=11)
    start = f"{(440 - late) / 1000}"
    before, after = pictures_of(notes, input=source, output=out, start=start)
    assert before
    assert before == after


@pytest.mark.slow
def test_a_film_of_two_hours():
    """200 000 faces, 3 000 tracks."""
    random = np.random.default_rng(0)

    def notes():
        for index in range(100_000):
            shot = 1 + index // 66
            values = {"covered": 0.1} if shot % 11 == 0 else {}
            if index % 500 < 20:
                values["guards"] = Guards(0.6, 0.2, 0.1, 0, 0.2, 0)
            light = lit(random.normal(0, 1, (8, 8)))
            faces = [face(2 * shot - side, light=light, **values) for side in (1, 0)]
            yield from frames(faces, shot=shot, start=index)

    noise = random.integers(0, 255, (288, 288, 3)).astype(np.uint8)
    text = render(record(notes()), lambda places, size, after: [data_uri(noise[:size, :size])] * len(places))
    data = json.loads(Page(text).scripts[0])
    assert data["counts"]["faces"] == 200_000
    assert data["counts"]["tracks"] > 3000
    assert len(text) < 20e6
