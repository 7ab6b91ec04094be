"""What OUT cannot hold is named, and refused with --strict."""

from __future__ import annotations

import pytest

from tests.support import sources
from vidrestore.errors import OutputError
from vidrestore.media.containers import EXTENSIONS, MATROSKA
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.probe import StreamInfo
from vidrestore.media.remux.stream_plan import Action, StreamPlan, refuse_losses

STRICT = {
    "audio": ({"c:a": "aac"}, ".webm", "cannot hold the input's #1 audio: aac"),
    "a disposition": ({"c:a": "aac", "disposition:a:0": "comment"}, ".mov", "the disposition 'comment'"),
    "a language": ({"c:a": "aac", "metadata:s:a:0": "language=Klingon"}, ".mp4", "the language 'Klingon'"),
    "a tag of a stream": ({"c:a": "aac", "metadata:s:a:0": "MOOD=calm"}, ".mp4", "the tag 'MOOD'"),
}


@pytest.mark.parametrize(("options", "ending", "words"), STRICT.values(), ids=STRICT.keys())
def test_strict_refuses_what_would_be_lost(tmp_path, options, ending, words):
    given = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.AUDIO, **options)
    with Decoder(given) as decoder:
        source = decoder.source
    with pytest.raises(OutputError, match=f"^--strict: .*{words}.*.mkv keeps it"):
        refuse_losses(source, EXTENSIONS[ending], f"out{ending}")
    refuse_losses(source, MATROSKA, "out.mkv")


AUDIO = StreamInfo(index=1, kind="audio", codec="aac", language=None, title=None, details="48000 Hz, mono")
PLANS = {
    "restored": (StreamPlan(AUDIO, Action.RESTORED), "restored", None),
    "copied": (StreamPlan(AUDIO, Action.COPIED), "copied", None),
    "with a loss": (
        StreamPlan(AUDIO, Action.COPIED, lost="the tag 'MOOD'", alternative=".mkv keeps it"),
        "copied, without the tag 'MOOD'; .mkv keeps it",
        "out.mp4 cannot hold the tag 'MOOD' of the input's #1 audio: aac, 48000 Hz, mono; .mkv keeps it",
    ),
    "transcoded": (StreamPlan(AUDIO, Action.TRANSCODED, "flac"), "transcoded to flac", None),
    "regenerated": (
        StreamPlan(AUDIO, Action.REGENERATED, "the chapters"),
        "regenerated from the chapters",
        None,
    ),
    "dropped": (
        StreamPlan(AUDIO, Action.DROPPED),
        "dropped",
        "out.mp4 cannot hold the input's #1 audio: aac, 48000 Hz, mono: it is dropped",
    ),
}


@pytest.mark.parametrize(("plan", "text", "loss"), PLANS.values(), ids=PLANS)
def test_plans_as_text(plan, text, loss):
    assert str(plan) == text
    assert plan.loss("out.mp4") == loss
