"""The controls of the page, made from the table of options."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from vidrestore.errors import UsageError
from vidrestore.option_types import option_of
from vidrestore.options import Options
from vidrestore.presets import preset_names, read_preset
from vidrestore.ui.fields import PHOTO, VIDEO, allowed, checked, described_fields, parsed, presets


def test_the_table_tells_what_can_be_set():
    fields = {field["name"]: field for field in described_fields("video")}
    assert "matroska" in fields["container"]["choices"]
    assert fields["strict"]["control"] == "switch"
    assert fields["strength"]["high"] == 1
    assert fields["w"]["default"] == "0.5"
    json.dumps([described_fields("video"), described_fields("photo")])


def test_no_option_that_may_be_set_is_a_path_or_goes_to_an_encoder_unseen():
    known = {field.name: field for field in dataclasses.fields(Options)}
    for name in {*allowed("video"), *allowed("photo")}:
        assert option_of(known[name]).parse is not Path
    assert not {"encoder_options", "tracks", "weights", "keep", "report", "device"} & {*VIDEO, *PHOTO}


def test_values_become_the_texts_of_a_preset_file(tmp_path):
    given = {"w": 0.3, "start": "1:30.5", "strict": True, "crf": "14", "container": "matroska", "preset": ""}
    texts = checked(given, "video")
    assert texts == {"w": "0.3", "start": "90.5", "strict": "true", "crf": "14", "container": "matroska"}
    assert checked({"duration": "1/3"}, "video") == {"duration": "1/3"}
    import yaml

    path = tmp_path / "options.yaml"
    path.write_text(yaml.safe_dump(texts))
    assert Options(input="a", **read_preset(str(path))).start == 90.5


def test_defaults_and_what_is_unset_are_left_out():
    assert checked({"w": "0.5", "codec": None, "strict": False}, "video") == {}
    assert checked({"face": [2, 3]}, "photo") == {"face": ["2", "3"]}


def test_switches_of_a_query_are_texts():
    texts = checked({"commercial": "true", "aligned": "false", "w": "0.3"}, "photo")
    assert parsed(texts) == {"commercial": True, "w": "0.3"}
    with pytest.raises(UsageError, match="must be True or False, not 'yes'"):
        checked({"commercial": "yes"}, "photo")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"encoder_options": ["stats=/tmp/x"]}, "video"),
        ({"tracks": "/etc/passwd"}, "video"),
        ({"output": "/tmp/x"}, "video"),
        ({"report": "/tmp/x"}, "video"),
        ({"weights": "/tmp/x.onnx"}, "photo"),
        ({"crf": 14}, "photo"),
        ({"codec": "-x"}, "video"),
        ({"preset": "fast crf=0"}, "video"),
        ({"pix_fmt": "/dev/zero"}, "video"),
        ({"codec": ["libx264"]}, "video"),
        ({"codec": "x" * 65}, "video"),
        ({"w": 2}, "video"),
        ({"w": {}}, "video"),
        ({"w": float("nan")}, "video"),
        ({"upscale": 5}, "photo"),
        ({"model": "../../x"}, "photo"),
        ({"background": "weights.pth"}, "photo"),
        ({"background": "/tmp/weights.pth"}, "video"),
        ({"background": ["lanczos"]}, "video"),
        ({"start": 5, "end": 3}, "video"),
    ],
)
def test_anything_else_is_refused(given, kind):
    with pytest.raises(UsageError):
        checked(given, kind)


def test_presets_can_be_set():
    found = presets()
    assert list(found) == preset_names()
    for name, values in found.items():
        assert Options(input="a", **checked(values, "video")) == Options(input="a", **read_preset(name))
