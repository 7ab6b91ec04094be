"""What becomes of a video's facts, and of what is written to its frames, when it is enlarged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vidrestore.errors import UsageError
from vidrestore.faces.alignment.align import Placement
from vidrestore.faces.face import Face
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.crop import Blended
from vidrestore.options import Options
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON
from vidrestore.stages.enlarging import enlarge, enlarged_source, in_input, upscaler_of

SAMPLE = Path(__file__).parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def source():
    with Decoder(SAMPLE) as decoder:
        return decoder.source


def test_sizes_grow_and_shapes_stay(source):
    cropped = replace(
        source,
        presentation=replace(source.presentation, cropping=(1, 2, 3, 4)),
        display_matrix=(0, 65536, 0, -65536, 0, 0, 360 << 16, 0, 1 << 30),  # as iPhones write it
    )
    enlarged = enlarged_source(cropped, 3)
    assert enlarged.display_matrix == (0, 65536, 0, -65536, 0, 0, 1080 << 16, 0, 1 << 30)
    assert (enlarged.width, enlarged.height) == (1920, 1080)
    assert enlarged.upright_size == (1920, 1080)
    assert enlarged.sample_aspect_ratio == source.sample_aspect_ratio
    assert enlarged.presentation.cropping == (3, 6, 9, 12)
    assert enlarged_source(source, 1) is source


def test_fields_are_not_mixed(source):
    with pytest.raises(UsageError, match="is interlaced, and enlarging would mix its fields"):
        enlarged_source(replace(source, interlaced=True), 2)


def test_without_an_upscaler_nothing_changes():
    frame = object()
    assert enlarge(frame, [], None) == (frame, [])


class Doubling:
    """Doubles frames and, if asked, faces."""

    factor, name = 2, "doubling"

    def __init__(self, faces: bool) -> None:
        self.faces = faces

    def __call__(self, frame):
        return frame

    def enlarge_face(self, face):
        return face.float().repeat_interleave(2, 1).repeat_interleave(2, 2) if self.faces else None


def restored(scale: float) -> RestoredFace[Placement]:
    """A face of 64 pixels that shows ``64 / scale`` pixels of its frame."""
    matrix = np.diag((scale, scale, 1.0))
    matrix[:2, 2] = 5
    ramp = torch.linspace(0, 1, 64).expand(4, 64, 64)
    return RestoredFace(
        track=1,
        source=Placement(Face(np.zeros(4), 1.0, np.zeros((5, 2)), 1), matrix, np.full((5, 2), 30.0)),
        layers=ramp.half(),
        tint=torch.zeros(2, 112),
        comparison=NO_COMPARISON,
        window=(slice(3, 60), slice(3, 60)),
    )


@pytest.mark.parametrize(
    ("scale", "faces", "side"), [(1.5, True, 128), (1.5, False, 64), (2.5, True, 64), (0.4, True, 128)]
)
def test_faces_are_enlarged_where_the_frame_shows_more_than_they_have(scale, faces, side):
    face = restored(scale)
    _, [moved] = enlarge(SimpleNamespace(hole=None), [face], Doubling(faces))
    assert moved.layers.shape == (4, side, side)
    assert moved.layers.dtype == torch.float16
    # The same place of the frame, and the same place of the face.
    at_input, factor = np.array((9.0, 7.0, 1.0)), side / 64
    assert np.allclose(
        moved.source.matrix @ (18, 14, 1), np.diag((factor, factor, 1)) @ face.source.matrix @ at_input
    )
    assert np.allclose(moved.source.landmarks, 30 * factor)
    assert torch.allclose(moved.mask[0, :: side // 2], face.mask[0, ::32], atol=0.01)


def test_a_face_that_comes_nearer_turns_sharp_gradually():
    """The frame shows as much as the restorer made at a scale of 1: from there on, half a frame's approach
    must not change what is shown."""

    class Marking(Doubling):
        def enlarge_face(self, face):
            return torch.ones(3, 128, 128)

    def shown(scale):
        [_, [face]] = enlarge(SimpleNamespace(hole=None), [restored(2 * scale)], Marking(True))
        return float(face.restored[0, face.restored.shape[1] // 2, face.restored.shape[2] // 2])

    middle = [shown(scale) for scale in np.arange(1.05, 0.7, -0.01)]
    assert middle[0] == pytest.approx(0.5, abs=0.02)
    assert middle[-1] == 1
    assert np.abs(np.diff(middle)).max() < 0.05


def test_the_options_say_which_upscaler(tmp_path):
    given = {"input": SAMPLE, "output": tmp_path / "out.mkv"}
    assert upscaler_of(Options(**given)) is None
    assert upscaler_of(Options(**given, upscale=3)).factor == 3


def test_what_was_written_is_told_in_pixels_of_the_input():
    nothing = np.zeros((1, 1), np.uint8)
    written = Blended((4, 9, 8, 12), (4, 8), nothing, nothing)
    assert in_input(written, 4).bounds == (1, 3, 2, 3)
    assert in_input(written, 1) is written
    assert in_input(None, 4) is None
