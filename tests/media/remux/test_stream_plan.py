"""What OUT cannot hold is named, and refused with --strict."""

from __future__ import annotations

import pytest

from tests.support import sources
from vidrestore.errors import OutputError
from vidrestore.media.containers import EXTENSIONS, MATROSKA
from vidrestore.media.remux.stream_plan import refuse_losses

STRICT = {
    "sound": ({"c:a": "aac"}, ".webm", "cannot hold the input's #1 audio: aac"),
    "a mark": ({"c:a": "aac", "disposition:a:0": "comment"}, ".mov", "the disposition 'comment'"),
    "a language": ({"c:a": "aac", "metadata:s:a:0": "language=Klingon"}, ".mp4", "the language 'Klingon'"),
    "a tag of a track": ({"c:a": "aac", "metadata:s:a:0": "MOOD=calm"}, ".mp4", "the tag 'MOOD'"),
}


@pytest.mark.parametrize(("options", "ending", "words"), STRICT.values(), ids=STRICT.keys())
def test_strict_refuses_what_would_be_lost(tmp_path, options, ending, words):
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.SOUND, **options)
    container = EXTENSIONS[ending]
    with pytest.raises(OutputError, match=f"^--strict: .*{words}.*.mkv keeps it"):
        refuse_losses(source, container, 0, f"out{ending}")
    refuse_losses(source, MATROSKA, 0, "out.mkv")
