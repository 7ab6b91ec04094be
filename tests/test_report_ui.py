"""The report in a browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support.notes import face, frames, record
from tests.support.reports import AFTER, BEFORE, flagged, photograph
from vidrestore.review import record as module
from vidrestore.review.html_file import render

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, such as Debian's package chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        # In a container Chromium cannot make a sandbox of its own. Nothing here needs a network or a GPU.
        quiet = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(flagged(), photograph), encoding="utf-8")
    return path


@pytest.fixture(params=["light", "dark"])
def page(browser, report, request) -> Iterator[Any]:
    """The report, opened. At the end: no error in the console, and no request but for the file itself."""
    opened = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=request.param)
    said, asked = [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    opened.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]


def pixel(page, x: float) -> np.ndarray:
    """The colour, BGR, in the slider at a share of its width."""
    picture = cv2.imdecode(np.frombuffer(page.locator(".slider").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return picture[len(picture) // 2, int(x * (picture.shape[1] - 1))].astype(int)


def test_it_opens_with_the_severest_flag(page):
    assert page.locator("h1").text_content() == "in.mp4"
    assert page.locator("#flags button").count() == 5
    assert page.locator("#flags button[aria-current=true]").count() == 1
    assert page.locator("#timeline rect.shot").count() == 2


def test_the_slider_moves_by_keyboard_and_mouse(page):
    slider = page.locator(".slider input")
    assert np.abs(pixel(page, 0.3) - BEFORE).max() < 8
    assert np.abs(pixel(page, 0.7) - AFTER).max() < 8
    slider.focus()
    page.keyboard.press("End")
    assert slider.input_value() == "100"
    assert np.abs(pixel(page, 0.7) - BEFORE).max() < 8
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "1"
    assert np.abs(pixel(page, 0.3) - AFTER).max() < 8
    assert "% input" in slider.get_attribute("aria-valuetext")
    place = slider.bounding_box()
    page.mouse.click(place["x"] + 0.75 * place["width"], place["y"] + place["height"] / 2)
    assert int(slider.input_value()) == pytest.approx(75, abs=4)
    assert np.abs(pixel(page, 0.6) - BEFORE).max() < 8


def test_a_click_on_a_span_chooses_its_flag(page):
    page.locator('#timeline [aria-label^="worn"]').click()
    assert page.locator("#detail h3").text_content().startswith("worn: track 3, 0:10.00")
    assert page.locator("#flags button[aria-current=true]").text_content().startswith("worn")
    assert page.locator("#plotted").text_content() == "track 3"
    assert page.locator("#timeline .chosen").get_attribute("aria-label").startswith("worn")


def test_a_span_is_chosen_by_the_keyboard(page):
    page.locator('#timeline [aria-label^="gap"]').focus()
    page.keyboard.press("Enter")
    assert page.locator("#detail h3").text_content().startswith("gap filled: track 3, 0:08.00")
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#now").text_content() == "at 0:08.12"


def test_a_click_elsewhere_goes_to_its_time(page):
    place = page.locator("#timeline").bounding_box()
    page.mouse.click(place["x"] + 0.55 * place["width"], place["y"] + 24)
    minutes, seconds = page.locator("#now").text_content().removeprefix("at ").split(":")
    assert 60 * int(minutes) + float(seconds) == pytest.approx(11.96 * (0.55 * 1200 - 130) / 1070, abs=0.1)


def test_flags_are_filtered_and_ordered(page):
    page.locator("#order").select_option("start")
    first = page.locator("#flags button").first
    assert first.text_content().startswith("tiny")
    page.locator("#kind").select_option("identity")
    assert page.locator("#flags button").count() == 1
    first.click()
    assert "--track-w 1=0.8" in page.locator("#detail code").text_content()


def test_zoom_and_faces(page):
    page.locator("#in").click()
    page.locator("#in").click()
    page.locator(".strip button").last.click()
    assert page.locator("#plotted").text_content() == "track 2"
    assert page.locator("#timeline .cursor").count() == 1
    page.locator("#whole").click()
    assert page.locator("#timeline rect.shot").count() == 2


def test_of_thousands_of_shots_few_are_drawn(browser, tmp_path):
    """Those too narrow to be seen are one, until the timeline is enlarged; a track is shown in its row."""
    notes = (note for i in range(6000) for note in frames([face(1 + i // 4)], shot=1 + i // 4, start=i))
    path = tmp_path / "report.html"
    path.write_text(render(record(notes), photograph), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    opened.goto(path.as_uri())
    shots, titles = opened.locator("#timeline rect.shot"), opened.locator("#timeline rect.shot title")
    assert 200 < shots.count() < 400
    assert titles.first.text_content().startswith("shots 1 to 5, 0:00.00 to ")
    assert " 1500, " in titles.last.text_content()
    first = shots.first.element_handle()
    opened.locator("#timeline").press("ArrowRight")
    assert first.evaluate("rect => rect.isConnected"), "only the cursor moves"
    assert opened.locator("#timeline .cursor").count() == 1
    opened.locator("#track").fill("1000")
    opened.locator("#track").blur()
    assert opened.locator("#plotted").text_content() == "track 1000"
    assert opened.locator("#timeline text", has_text="track 1000").count() == 1
    for _ in range(8):
        opened.locator("#in").click()
    assert titles.first.text_content().startswith("shot ")
    opened.close()


def test_it_fits_a_telephone(browser, tmp_path, monkeypatch):
    """Nothing but the timeline is wider than the screen, and its text can be read."""
    long = {"role": "detector", "name": 9 * "mobile", "sha256": 64 * "a", "licence": "MIT"}
    monkeypatch.setattr(module, "weights", lambda setup, licence: [long])
    path = tmp_path / "report.html"
    path.write_text(render(flagged(), photograph), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 390, "height": 800})
    opened.goto(path.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    assert opened.locator("#timeline text").first.bounding_box()["height"] > 8
    opened.close()


def test_text_has_contrast(page):
    """WCAG 2, 1.4.3: 4.5 to 1."""
    ratios = page.evaluate(
        """() => {
          const parse = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = ([r, g, b]) => {
            const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            const [x, y, z] = [r, g, b].map(value => linear(value / 255));
            return 0.2126 * x + 0.7152 * y + 0.0722 * z;
          };
          const behind = element => {
            for (; element; element = element.parentElement) {
              const colour = getComputedStyle(element).backgroundColor;
              if (!/, 0\\)$/.test(colour)) return colour;
            }
            return "rgb(255, 255, 255)";
          };
          const names = "h1;.hint;dt;#flags button;#detail p;caption;th;td;figcaption".split(";");
          return names.map(name => {
            const element = document.querySelector(name);
            const colours = [getComputedStyle(element).color, behind(element)];
            const [a, b] = colours.map(colour => light(parse(colour)) + 0.05);
            return [name, Math.max(a, b) / Math.min(a, b)];
          });
        }"""
    )
    assert [name for name, ratio in ratios if ratio < 4.5] == []
