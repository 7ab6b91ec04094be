"""Options from YAML: what the presets are, what goes before what, and what is said of a mistake."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from vidrestore.cli_parser import options_of, parse_restore
from vidrestore.errors import UsageError
from vidrestore.options import Options
from vidrestore.presets import preset_names, read_preset

ROOT = Path(__file__).parents[1]


def options(*args):
    """The options that the command line makes of these arguments."""
    return options_of(parse_restore(["in.mp4", "out.mp4", *args]))


@pytest.fixture
def preset(tmp_path):
    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_there_are_presets():
    assert preset_names() == ["archival", "fast", "generated"]


@pytest.mark.parametrize("name", ["archival", "fast", "generated"])
def test_a_preset_is_options_that_differ_from_the_defaults(name):
    given, default = read_preset(name), Options(input=Path("in.mp4"), output=Path("out.mp4"))
    made = options("--config", name)
    assert given
    for option in fields(Options):
        expected = given.get(option.name, getattr(default, option.name))
        assert getattr(made, option.name) == expected
        assert option.name not in given or expected != getattr(default, option.name)


def test_what_is_given_beside_it_goes_before(preset):
    config = preset("w: 0.25\nmin_face: 30\nencoder_options: {tune: film}\ntrack_w: [1=0.5]\nprofile: true\n")
    made = options("--config", config, "--w", "0.75", "--track-w", "2=1", "--encoder-opt", "a=b")
    assert (made.w, made.min_face, made.profile) == (0.75, 30.0, True)
    assert made.track_w == ((1, 0.5), (2, 1.0))
    assert made.encoder_options == (("tune", "film"), ("a", "b"))


def test_values_are_as_on_the_command_line(preset):
    found = read_preset(preset("deinterlace: off\nss: 1:30\nw: auto\nbatch: 4\ntracks: t.json\n"))
    assert found == {"deinterlace": "off", "start": 90, "w": "auto", "batch": 4, "tracks": Path("t.json")}


def test_an_empty_file_changes_nothing(preset):
    assert read_preset(preset("# nothing\n")) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("w: 2\n", None),  # which Options refuses
        ("max_sharpness: 2\n", "--max-sharpness must be between 0 and 1, not 2"),
        ("min_face: small\n", "--min-face cannot be 'small'"),
        ("min_fase: 3\n", "there is no option 'min_fase'; did you mean min_face?"),
        ("input: other.mp4\n", "input cannot be set in a file"),
        ("profile: perhaps\n", "profile must be true or false, not 'perhaps'"),
        ("w: [0.5, 0.6]\n", "w takes one value"),
        ("w:\n", "w takes one value"),
        ("track_w: {1: one}\n", "--track-w cannot be '1=one'"),
        ("model: best\n", "--model must be one of auto, codeformer, lite, face, gfpgan-1.4"),
        ("- w\n", "must map options to values"),
        ("ss: 1\nstart: 2\n", "ss and start are the same option"),
        pytest.param("[" * 100_000, "is not a YAML file", id="nested"),
        ("w: [\n", "is not a YAML file"),
    ],
)
def test_mistakes_are_named(text, said, preset):
    with pytest.raises(UsageError, match="mine.yaml" if said else "--w must be between 0 and 1") as caught:
        options("--config", preset(text))
    assert said is None or said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("film", "there is no preset 'film'; use archival, fast, generated, or a .yaml file"),
        ("none.yaml", "none.yaml cannot be read: No such file or directory"),
        ("../configs/train/lite", "there is no preset"),
    ],
)
def test_a_preset_that_is_not_there(name, said):
    with pytest.raises(UsageError) as caught:
        options("--config", name)
    assert said in str(caught.value)
