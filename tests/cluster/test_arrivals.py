"""Segments arrive in any order, as files or in pieces, and join OUT in theirs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support import reader
from tests.support.encoders import open_segment_writer
from tests.support.segments import COUNT, KEY, REPRODUCIBLE, make_clip, write_segments
from vidrestore.cluster.arrivals import Arrivals
from vidrestore.cluster.film import RefusedError
from vidrestore.cluster.rendering import Made
from vidrestore.cluster.told import Piece
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.encoder import VideoEncoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.output.segments import SegmentFile
from vidrestore.stages.resume import NOTHING

LENGTH = 10
SETTINGS = EncoderSettings(preset="ultrafast", options=REPRODUCIBLE)


def segments(decoder: Decoder, writer: Any, folder: Path) -> list[Made]:
    """All segments of the clip, as workers make them, in files with names of their own."""
    folder.mkdir()
    made = []
    for number, frames in groupby(decoder, lambda frame: frame.index // LENGTH):
        encoder = VideoEncoder(writer.encoder, decoder.source, writer._container)
        file, count = SegmentFile(folder / f"{number}.segment"), 0
        for frame in frames:
            file.add(encoder.encode(frame))
            count += 1
        file.add(encoder.flush())
        info = [{"faces": 0, "frame": number * LENGTH + place} for place in range(count)]
        segment = file.finish(frames=count, info=info, side_data=frozenset(), extradata=encoder.extradata)
        made.append(Made(number * LENGTH, segment, 1.0))
        encoder.close()
    return made


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)], ids=str)
def test_they_join_in_their_order(tmp_path, order, in_pieces):
    source, out, told = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4", []
    write_segments(source, tmp_path / "whole.mp4", SETTINGS, LENGTH)
    with (
        Decoder(source) as decoder,
        open_segment_writer(decoder, out, SETTINGS, length=LENGTH, told=told.extend) as writer,
    ):
        writer.resume(writer.folder.begin(KEY, resume=False))
        made, arrivals = segments(decoder, writer, tmp_path / "made"), Arrivals(writer, NOTHING)
        for place in order:
            arrivals.save_state(place * LENGTH, {"a": "state"})
            path = made[place].segment.path
            if in_pieces:
                content = path.read_bytes()
                path.unlink()
                for begin in range(0, len(content), 1000):
                    arrivals.take_piece(Piece(content[begin : begin + 1000]), "worker 1")
            segment = arrivals.take(made[place], "worker 1")
            assert segment.path == writer.folder.segment_path(place * LENGTH)
            assert writer.folder.load_state(place * LENGTH) is None  # not needed any more
        assert writer.frames == COUNT
    assert [info["frame"] for info in told] == list(range(COUNT))
    assert reader.packets(out, "0:v") == reader.packets(tmp_path / "whole.mp4", "0:v")


def test_pieces_of_a_segment_that_is_never_complete_are_dropped(tmp_path):
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    with Decoder(source) as decoder, open_segment_writer(decoder, out, SETTINGS, length=LENGTH) as writer:
        writer.resume(writer.folder.begin(KEY, resume=False))
        made, arrivals = segments(decoder, writer, tmp_path / "made"), Arrivals(writer, NOTHING)
        arrivals.take_piece(Piece(b"half of it"), "worker 1")
        arrivals.drop_pieces("worker 1")
        arrivals.drop_pieces("worker 2")  # has sent none
        for each in made:
            arrivals.take_piece(Piece(each.segment.path.read_bytes()), "worker 1")
            arrivals.take(each, "worker 1")
    assert len(reader.frames(out)) == COUNT


def test_segments_with_other_headers_are_refused(tmp_path):
    """Of another version of the encoder, for example: the worker that made them is left out."""
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    with Decoder(source) as decoder, open_segment_writer(decoder, out, SETTINGS, length=LENGTH) as writer:
        writer.resume(writer.folder.begin(KEY, resume=False))
        made, arrivals = segments(decoder, writer, tmp_path / "made"), Arrivals(writer, NOTHING)
        other = replace(made[0], segment=replace(made[0].segment, extradata=b"other"))
        with pytest.raises(RefusedError, match="its libx264 writes other headers than here"):
            arrivals.take(other, "worker 1")
        for each in made:
            arrivals.take(each, "worker 2")
    assert len(reader.frames(out)) == COUNT
