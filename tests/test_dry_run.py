"""A dry run says what would become of each stream, and is right."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from tests.support import listing, sources
from tests.support.frames import pass_through_fast, synthetic
from vidrestore.__main__ import main
from vidrestore.dry_run import plan
from vidrestore.options import Options

ACTIONS = {
    ".mkv": "restored copied copied copied copied attached",
    ".mp4": "restored copied copied transcoded dropped copied",
    ".mov": "restored copied copied transcoded dropped dropped",
    ".webm": "restored dropped dropped transcoded dropped dropped",
}


@pytest.mark.parametrize("ending", ACTIONS)
def test_each_stream_is_told_of(tmp_path, ending):
    source, out = sources.full_file(tmp_path), tmp_path / f"out{ending}"
    planned = plan(Options(input=source, output=out)).data
    assert json.loads(json.dumps(planned)) == planned
    assert [s["action"] for s in planned["streams"]] == ACTIONS[ending].split()
    assert not out.exists()
    # What is made comes out as it was told.
    left = [s["index"] for s in planned["streams"] if s["action"] != "dropped"]
    kinds = [planned["input"]["streams"][index]["type"] for index in left]
    pass_through_fast(source, out)
    found = [stream.kind for stream in listing.streams(out) if stream.kind != "data"]
    assert sorted(found) == sorted(kinds)


def test_in_words(tmp_path):
    text = str(plan(Options(input=sources.full_file(tmp_path), output=tmp_path / "out.mp4")))
    for words in (
        "-> restored, by libx264 (yuv420p",
        "-> copied",
        "-> transcoded to mov_text",
        "-> dropped; .mkv keeps it",
        "would drop the tags 'CUSTOM'; .mkv keeps them",
        f"would write {tmp_path / 'out.mp4'}",
    ):
        assert words in text


def test_chapters_and_a_timecode_are_regenerated(tmp_path):
    source = sources.make(
        tmp_path / "in.mov", sources.VIDEO, tags=sources.tags_file(tmp_path), timecode="01:00:00:00"
    )
    text = str(plan(Options(input=source, output=tmp_path / "out.mov")))
    assert "regenerated from the chapters" in text
    assert "regenerated from the timecode" in text


def test_numbered_pictures_have_the_rate_asked_for(tmp_path):
    synthetic(tmp_path / "p_%02d.png", "testsrc2=s=64x48:r=25:d=0.2")
    planned = plan(
        Options(input=tmp_path / "p_%02d.png", output=tmp_path / "out.mp4", rate=Fraction(30))
    ).data
    assert planned["input"]["streams"][0]["frame_rate"] == "30"


def test_from_the_command_line(tmp_path, capsys):
    source, out = sources.full_file(tmp_path), tmp_path / "out.mp4"
    assert main([str(source), str(out), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["streams"][3]["codec"] == "mov_text"
    assert main(["probe", str(source), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["streams"][3]["codec"] == "subrip"
    assert main(["probe", str(source)]) == 0
    assert "#3 subtitle: subrip" in capsys.readouterr().out
    for words, message in (
        (["--json"], "--json needs --dry-run"),
        (["--strict"], "--strict: out.mp4 cannot hold the input's #4 attachment"),
        (["--strict", "--dry-run"], "--strict: out.mp4 cannot hold the input's #4 attachment"),
        (["--video-stream", "1", "--dry-run"], "--video-stream 1 is not a video stream of full.mkv; use 0"),
    ):
        assert main([str(source), str(out), *words]) != 0
        assert message in capsys.readouterr().err
    assert not out.exists()
