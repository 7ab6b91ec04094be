"""Aligned faces and single frames, restored without a video around them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from tests.support.runs import face_frame
from vidrestore.errors import UsageError, WeightsError
from vidrestore.images import RestoredFrame, Restorer
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.pixel_format import plane_views


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer.load("lite", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """A face of about 130 pixels, softened as old footage is."""
    return face_frame(160, 120, "rgb24").reformat(640, 480).to_ndarray()


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 512, 512, 3), np.uint8)


def test_what_it_says_of_itself(restorer):
    assert restorer.size == 512
    assert restorer.licence == "Apache License 2.0"
    assert repr(restorer) == "Restorer(model=lite, precision=fp32, face_parser=none, size=512, device=cpu)"


def test_arrays_and_tensors_give_the_same(restorer):
    array = faces(2)
    tensor = torch.from_numpy(array).permute(0, 3, 1, 2).float() / 255
    restored, floats = restorer.restore(array, w=0.7), restorer.restore(tensor, w=0.7)
    assert restored.shape == array.shape
    assert restored.dtype == np.uint8
    assert floats.shape == tensor.shape
    assert floats.dtype == torch.float32
    assert 0 <= floats.min() <= floats.max() <= 1
    np.testing.assert_allclose(restored, floats.permute(0, 2, 3, 1).numpy() * 255, atol=0.51)
    assert (array != restored).any()


def test_each_face_has_its_own_w(restorer):
    array = np.repeat(faces(1), 2, axis=0)
    restored = restorer.restore(array, w=[0.0, 1.0])
    assert (restored[0] != restored[1]).any()
    assert (restored[1] == restorer.restore(array[:1], w=1)[0]).all()


@pytest.mark.parametrize(
    "like",
    [lambda array: array[..., ::-1], lambda array: np.broadcast_to(array, array.shape)],
    ids=["channels reversed", "read only"],
)
def test_any_layout_in_memory(restorer, like):
    array = like(faces(1))
    assert (restorer.restore(array, 1) == restorer.restore(np.ascontiguousarray(array), 1)).all()


def test_a_result_can_be_computed_with(restorer):
    restored = restorer.restore(torch.zeros(1, 3, 512, 512))
    restored += 1
    factor = torch.nn.Parameter(torch.ones(1))
    (factor * restored).sum().backward()
    assert torch.equal(factor.grad, restored.sum()[None])


def test_no_faces(restorer):
    assert restorer.restore(faces(0)).shape == (0, 512, 512, 3)


@pytest.mark.parametrize(
    ("batch", "w", "message"),
    [
        (np.zeros((512, 512, 3), np.uint8), 0.5, r"faces must be \(N, 512, 512, 3\), not \(512, 512, 3\)"),
        (np.zeros((1, 256, 256, 3), np.uint8), 0.5, "faces must be"),
        (np.zeros((1, 512, 512, 3), np.float32), 0.5, "faces must be a uint8 array, not an array of float32"),
        (torch.zeros((1, 512, 512, 3)), 0.5, r"faces must be \(N, 3, 512, 512\)"),
        (torch.zeros((1, 3, 512, 512), dtype=torch.uint8), 0.5, "must be floating point in"),
        (np.zeros((2, 512, 512, 3), np.uint8), [0.5], "one number, or one for each of 2 faces"),
        (np.zeros((1, 512, 512, 3), np.uint8), 1.5, "w must be between 0 and 1, not 1.5"),
        (np.zeros((1, 512, 512, 3), np.uint8), float("nan"), "w must be between 0 and 1"),
        (np.zeros((1, 512, 512, 3), np.uint8), "auto", "w must be a number between 0 and 1, or one for each"),
        (np.zeros((1, 512, 512, 3), np.uint8), None, "w must be a number between 0 and 1"),
        (None, 0.5, "faces must be a uint8 array, not NoneType"),
    ],
)
def test_a_wrong_batch_is_one_sentence(restorer, batch, w, message):
    with pytest.raises(UsageError, match=message):
        restorer.restore(batch, w)


def test_a_frame_changes_only_at_its_faces(restorer, frame):
    before = frame.copy()
    restored = restorer.restore_frame(frame, w=0.5)
    assert (frame == before).all()
    assert restored.shape == frame.shape
    changed = (restored != frame).any(axis=-1)
    assert 0.01 < changed.mean() < 0.6
    assert not changed[:, :8].any()
    assert not changed[:, -8:].any()


def test_a_frame_without_faces_comes_back_as_it_was(restorer):
    grey = np.full((90, 120, 3), 128, np.uint8)
    assert (restorer.restore_frame(grey) == grey).all()


@pytest.mark.parametrize(
    ("frame", "w", "message"),
    [
        (None, 0.5, "a frame must be a uint8 array"),
        (np.zeros((9, 9, 3), np.uint8), [0.5], "must be one number"),
    ],
)
def test_what_is_not_a_frame(restorer, frame, w, message):
    with pytest.raises(UsageError, match=message):
        restorer.restore_frame(frame, w)


@pytest.mark.parametrize("shape", [(90, 120), (90, 120, 4), (0, 120, 3)])
def test_a_wrong_frame_is_one_sentence(restorer, shape):
    with pytest.raises(UsageError, match=r"a frame must be \(height, width, 3\) uint8 RGB"):
        restorer.restore_frame(np.zeros(shape, np.uint8))


def test_what_cannot_be_loaded(tmp_path):
    with pytest.raises(UsageError, match=r"--model must be one of auto, codeformer, lite, .*, not 'gfpgan'"):
        Restorer.load("gfpgan")
    with pytest.raises(UsageError, match="--precision must be one of auto, fp32, bf16, fp16, not 'fp64'"):
        Restorer.load("lite", precision="fp64")
    with pytest.raises(UsageError, match="a model must be a name or the path of a weights file, not 5"):
        Restorer.load(5)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=r"mine\.pth does not exist"):
        Restorer.load(tmp_path / "mine.pth", device="cpu")


def test_a_restored_frame_is_rgb():
    frame = RestoredFrame(
        index=3, time=Fraction(1, 8), faces=1, video=face_frame(64, 48, "yuv420p"), colour=Colour()
    )
    assert frame.to_rgb().shape == (48, 64, 3)
    assert repr(frame) == "RestoredFrame(index=3, time=Fraction(1, 8), faces=1)"


@pytest.mark.parametrize("matrix", [1, 2, 5, 8, 10, 14])  # of which players know 1 and 5, and 2 is no tag
@pytest.mark.parametrize("full", [False, True])
def test_a_restored_frame_has_the_colours_that_faces_were_restored_in(matrix, full):
    video = av.VideoFrame(1280, 720, "yuv444p")
    for plane, value in zip(plane_views(video), (120, 90, 180), strict=True):
        plane[...] = value
    video.colorspace = matrix
    tags = ColourTags(matrix=matrix, range=2 if full else 1)
    colour = Colour.from_tags(tags, 1280, 720)
    frame = RestoredFrame(index=0, time=Fraction(0), faces=0, video=video, colour=colour)
    planes = [torch.tensor([[[float(value)]]]) for value in (120, 90, 180)]
    wanted = 255 * colour.yuv_to_rgb(torch.cat(planes), 8).flatten()
    assert torch.from_numpy(frame.to_rgb()[5, 5].astype(np.float32)).sub(wanted).abs().max() <= 2
