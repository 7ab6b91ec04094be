"""The page in a browser: headless Chromium, driven by Playwright, with real runs over a sample."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import skimage.data

from tests.support.page import Server, serving

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, such as Debian's package chromium"),
]
SAMPLES = Path(__file__).parents[1] / "samples"


def command(*arguments: object) -> None:
    """Run the command line, which has as many threads as the jobs of the page: rounding depends on them."""
    given = map(str, (*arguments, "--offline", "-q"))
    subprocess.run([sys.executable, "-m", "vidrestore", *given], check=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        # In a container Chromium cannot make a sandbox of its own. Nothing here needs a network or a GPU.
        only_here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        chromium = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", only_here]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("page"), opened=(SAMPLES,)) as running:
        yield running


class Visit:
    """A visitor with a browser. At the end: no error in its console, and no request elsewhere."""

    def __init__(self, browser: Any, server: Server, **about: Any) -> None:
        about = {"viewport": {"width": 1280, "height": 900}, **about}
        self.context = browser.new_context(**about)
        self.page = self.context.new_page()
        self.page.set_default_timeout(240_000)
        self.home = f"http://127.0.0.1:{server.port}/"
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(self.home)
        self.page.wait_for_selector(".intro, .head")

    def end(self) -> None:
        self.context.close()
        assert self.said == []
        assert [url for url in self.asked if not url.startswith((self.home, "data:"))] == []


@pytest.fixture
def visit(browser, server) -> Iterator[Visit]:
    opened = Visit(browser, server)
    yield opened
    opened.end()


@pytest.fixture(scope="module")
def analysed(browser, server) -> Iterator[Visit]:
    """A visitor with a video whose faces have been found."""
    opened = Visit(browser, server)
    opened.page.set_input_files("#pick", str(SAMPLES / "scenes.mkv"))
    opened.page.get_by_role("button", name="Find faces").click()
    opened.page.wait_for_selector(".person")
    opened.page.wait_for_selector(".picture .slider")
    yield opened
    opened.end()


def move(page: Any, label: str, value: float) -> None:
    page.get_by_label(label, exact=True).evaluate(
        "(range, value) => { range.value = value; range.dispatchEvent(new Event('input')); }", value
    )


def frames(path: Path) -> list[int]:
    """Checksums of the frames of a video."""
    with av.open(str(path)) as container:
        return [zlib.crc32(frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def advanced(page: Any, name: str, value: str) -> None:
    fold = page.locator("details", has=page.locator(f"#option-{name}"))
    if not fold.evaluate("fold => fold.open"):
        fold.locator("summary").first.click()
    field = page.locator(f"#option-{name}")
    field.select_option(value) if field.evaluate("f => f.tagName") == "SELECT" else field.fill(value)
    field.press("Tab")


def test_from_a_video_to_the_right_file(analysed, browser, server, tmp_path):
    page = analysed.page
    assert "2 audio tracks" in page.locator(".facts").text_content()
    assert page.locator(".person").count() == 2
    after = page.locator(".picture img.after")
    first = after.get_attribute("src")
    move(page, "w of Person 1", 0.0)
    page.wait_for_function("first => document.querySelector('.picture img.after').src !== first", arg=first)
    page.get_by_label("Leave as is").nth(1).check()
    advanced(page, "duration", "0.2")
    advanced(page, "model", "lite")
    advanced(page, "codec", "ffv1")  # lossless: encoders with losses need not write the same twice
    page.locator("#render").click()
    own = page.locator(".own-jobs .job")
    playwright.expect(own).to_have_count(1)

    # Another one, a little longer, is cancelled while the first one runs, and tried again after that.
    advanced(page, "duration", "0.24")
    page.locator("#render").click()
    playwright.expect(own).to_have_count(2)
    own.first.get_by_role("button", name="Cancel").click()
    own.first.locator(".badge.cancelled").wait_for()

    page.reload()
    page.wait_for_selector(".person")
    assert page.get_by_label("w of Person 1", exact=True).input_value() == "0"
    assert page.get_by_label("Leave as is").nth(1).is_checked()

    other = Visit(browser, server)
    other.page.locator("#tab-queue").click()
    assert "Nothing is in the queue" in other.page.locator("#jobs").text_content()
    assert other.page.locator("#files li").count() == 0
    other.end()

    page.locator("#tab-queue").click()
    jobs = page.locator("#jobs .job")
    done = jobs.filter(has=page.get_by_role("link", name="Download"))
    done.first.wait_for()
    with page.expect_download() as download:
        done.first.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "scenes-restored.mkv"
    download.value.save_as(tmp_path / "page.mkv")

    jobs.filter(has=page.locator(".badge.cancelled")).get_by_role("button", name="Retry").click()
    page.wait_for_function("() => document.querySelectorAll('#jobs a[download]').length === 2")

    done.last.get_by_role("button", name="Report").click()
    report = page.frame_locator("#report-frame")
    report.locator("#timeline svg").wait_for()
    page.keyboard.press("Escape")
    page.locator("#tab-files").click()

    # The same by hand: the faces that were found, edited as docs/adjust.md says, and a run.
    visitors = server.api.config.folder / "visitors"
    [found] = [path for path in visitors.glob("*/*/tracks.json") if not path.parent.name.startswith("job-")]
    text = found.read_text()
    one = '{"id": 1, "name": null, "w": '
    two = '{"id": 2, "name": null, "w": null, "strength": null, "skip": '
    assert one + "null" in text
    assert two + "null" in text
    tracks = tmp_path / "tracks.json"
    tracks.write_text(text.replace(one + "null", one + "0.0").replace(two + "null", two + "true"))
    options = ("--tracks", tracks, "-t", "0.2", "--model", "lite", "-c:v", "ffv1")
    command(SAMPLES / "scenes.mkv", tmp_path / "command.mkv", *options)
    assert frames(tmp_path / "page.mkv") == frames(tmp_path / "command.mkv")


def test_who_has_no_w_of_their_own_follows_the_others(analysed):
    page = analysed.page
    own = page.get_by_label("w of Person 1", exact=True).input_value()
    after = page.locator(".picture img.after")
    page.get_by_role("button", name="Look at Person 2").click()
    page.wait_for_function("() => document.querySelector('.place').textContent.startsWith('Person 2')")
    page.get_by_label("Leave as is").nth(1).uncheck()
    page.wait_for_function("() => !document.querySelector('.picture').hasAttribute('aria-busy')")
    first = after.get_attribute("src")
    move(page, "Fidelity (w) of all others", 0.9)
    assert page.get_by_label("w of Person 2", exact=True).input_value() == "0.9"
    page.wait_for_function("first => document.querySelector('.picture img.after').src !== first", arg=first)
    assert page.get_by_label("w of Person 1", exact=True).input_value() == own


def test_a_moment_is_chosen_by_mouse_and_keyboard(analysed):
    page = analysed.page
    place = page.locator(".place")
    page.locator(".moments button").last.click()
    at = place.text_content()
    assert "Person" in at
    page.locator(".timeline").focus()
    page.keyboard.press("ArrowLeft")
    assert place.text_content() != at
    page.get_by_role("button", name="Look at Person 2").click()
    assert place.text_content().startswith("Person 2")
    slider = page.locator(".picture .slider input")
    slider.focus()
    page.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext").startswith("100 % input")


def test_a_photo_with_the_five_controls(visit, tmp_path):
    page = visit.page
    photo = cv2.GaussianBlur(skimage.data.astronaut()[:256, 96:352, ::-1], (0, 0), 2)
    cv2.imwrite(str(tmp_path / "<b>photo.png"), photo)
    page.set_input_files("#pick", str(tmp_path / "<b>photo.png"))
    page.wait_for_selector(".picture.photo .slider")
    assert page.locator("h1").first.text_content() == "<b>photo.png"
    fidelity = page.get_by_label("Fidelity (w)")
    assert [fidelity.get_attribute(name) for name in ("min", "max", "step", "value")] == [
        "0",
        "1",
        "0.01",
        "0.5",
    ]
    factor = page.get_by_label("Rescaling factor")
    assert [factor.get_attribute(name) for name in ("min", "max", "step")] == ["1", "4", "1"]
    background = page.get_by_label("Background enhance")
    assert background.is_disabled()
    move(page, "Rescaling factor", 2)
    assert background.is_enabled()
    assert page.get_by_label("Face upsample").is_disabled()
    page.wait_for_function("() => document.querySelector('.note').textContent.includes('Enlarged 2 times')")
    assert page.locator(".picture img.after").evaluate("image => image.naturalWidth") == 512
    move(page, "Fidelity (w)", 0.1)
    page.locator("#render").click()
    link = page.locator(".own-jobs").get_by_role("link", name="Download")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "page.png")
    command(tmp_path / "<b>photo.png", tmp_path / "command.png", "--w", "0.1", "--upscale", "2")
    ours, theirs = cv2.imread(str(tmp_path / "page.png")), cv2.imread(str(tmp_path / "command.png"))
    assert ours.shape == (512, 512, 3)
    assert np.array_equal(ours, theirs)


def test_a_file_of_the_server_is_opened_in_place(visit):
    page = visit.page
    page.get_by_role("button", name="Open a file of the server").click()
    page.locator("#folder-list").get_by_role("button", name="portrait.mp4").click()
    page.wait_for_selector(".head")
    assert "in place" in page.locator(".facts").text_content()


def test_what_is_refused_is_said(visit, tmp_path):
    page = visit.page
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    page.set_input_files("#pick", str(tmp_path / "list.m3u8"))
    page.wait_for_function("() => document.getElementById('said').textContent.includes('not taken')")
    assert page.locator("#files li").count() == 0
    visit.said.clear()  # the browser notes the status 422


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_screen_and_everything_has_a_name(analysed, scheme, width):
    page = analysed.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    for tab in ("queue", "files"):
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input, select")]
             .filter(e => e.checkVisibility())
             .filter(e => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim()))
             .map(e => e.outerHTML)"""
    )
    assert unnamed == []
    assert page.evaluate(CONTRAST) == []
    page.set_viewport_size({"width": 1280, "height": 900})


#: Texts with less contrast than WCAG 2, 1.4.3 asks for: 4.5 to 1.
CONTRAST = """() => {
  const parse = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = rgb => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map(value => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const names = "h1;h2;.hint;.facts;.main;.badge;summary;legend;.slide output;.moments button;" +
    ".top nav button;.file .hint;.version";
  return names.split(";").map(name => {
    const element = document.querySelector(name);
    if (!element) return [name, 21];
    const colours = [getComputedStyle(element).color, behind(element)];
    const lights = colours.map(colour => light(parse(colour)) + 0.05);
    return [name, Math.max(...lights) / Math.min(...lights)];
  }).filter(([, ratio]) => ratio < 4.5);
}"""
