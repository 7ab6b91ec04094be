"""Degradations of faces: repeatable, within their ranges, as severe as specified, and without shifts."""

from dataclasses import replace

import pytest
import torch

from vidrestore.degradation.codecs import VIDEO_CODECS
from vidrestore.degradation.degrade import LEVELS, MODES, Degradation, degrade, degrade_batch
from vidrestore.degradation.tape import sharpen

#: A degradation of each kind, in addition to the levels.
KINDS = [
    Degradation(blur=2.0),
    Degradation(blur=2.0, stretch=0.5, scale=3.0, down="bicubic", up="bilinear"),
    Degradation(noise=10.0),
    Degradation(noise=10.0, grey_noise=True),
    Degradation(grain=10.0, grain_size=0.9),
    Degradation(scale=2.0, grain=10.0, grey_noise=True),
    Degradation(jpeg=40),
    Degradation(scale=1.7, jpeg=40, offset=(3, 14)),
    Degradation(scale=2.0, crf=30),
    Degradation(scale=16.0, crf=28, codec="h264"),
    Degradation(scale=16.0, crf=28, codec="h265"),
    Degradation(scale=16.0, crf=8, codec="mpeg2"),
    Degradation(scale=1.3, crf=32, codec="h265", noise=3.0, offset=(7, 4)),
    Degradation(scale=1.3, crf=8, codec="mpeg2", noise=3.0, offset=(15, 1)),
    Degradation(comb=2.0),
    Degradation(tape=0.7),
    Degradation(scale=2.0, comb=-1.0, tape=0.5, crf=20),
    Degradation(blur=2.0, scale=2.0, denoise=30.0, jpeg=90),
    Degradation(blur=2.0, denoise=15.0, sharpen=0.8),
]


@pytest.fixture
def face() -> torch.Tensor:
    """Smooth shapes and fine texture, (3, 128, 128) uint8."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    smooth = 120 + 80 * torch.sin(x / 17) * torch.cos(y / 23)
    texture = 20 * ((x.int() // 2 + y.int() // 2) % 2)
    return torch.stack([smooth + texture, smooth, 255 - smooth]).clamp(0, 255).to(torch.uint8)


def error(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a.float() - b.float()).square().mean().sqrt().item()


def test_the_default_is_the_identity(face: torch.Tensor) -> None:
    assert torch.equal(degrade(face, Degradation()), face)


@pytest.mark.parametrize("degradation", [*KINDS, *LEVELS.values()], ids=str)
def test_a_degradation_is_repeatable_and_visible(face: torch.Tensor, degradation: Degradation) -> None:
    once, again = degrade(face, degradation, seed=3), degrade(face, degradation, seed=3)
    assert once.shape == face.shape
    assert once.dtype == torch.uint8
    assert torch.equal(once, again)
    assert error(once, face) > 1
    # No shift of brightness by any step; an image of 16 pixels is less exact.
    shift = abs(once.float().mean() - face.float().mean())
    assert shift < (4 if degradation.scale > 8 else 1.5)


@pytest.mark.parametrize(
    "artefact", [{"comb": 1.0}, {"tape": 0.3}, {"denoise": 20.0}, {"sharpen": 0.5}], ids=str
)
def test_each_artefact_of_video_takes_part(face: torch.Tensor, artefact: dict[str, float]) -> None:
    base = Degradation(scale=2.0, jpeg=80)
    assert error(degrade(face, replace(base, **artefact)), degrade(face, base)) > 1


def test_sharpening_follows_compression(face: torch.Tensor) -> None:
    sharpened = degrade(face, Degradation(jpeg=40, sharpen=0.8))
    image = degrade(face, Degradation(jpeg=40)).permute(1, 2, 0).numpy()
    assert torch.equal(sharpened, torch.from_numpy(sharpen(image, 0.8)).permute(2, 0, 1))


def test_noise_depends_on_the_seed(face: torch.Tensor) -> None:
    noise = Degradation(noise=8.0)
    assert error(degrade(face, noise, seed=1), degrade(face, noise, seed=2)) > 5


def test_noise_has_the_given_deviation() -> None:
    grey = torch.full((3, 128, 128), 128, dtype=torch.uint8)
    assert error(degrade(grey, Degradation(noise=8.0), seed=1), grey) == pytest.approx(8.0, rel=0.05)


@pytest.mark.parametrize(
    "degradation",
    [
        Degradation(blur=1.5),
        Degradation(comb=1.0),
        Degradation(denoise=15.0, sharpen=0.5),
        *(Degradation(blur=3.0, scale=2.0, down=mode, up=up) for mode in MODES for up in MODES[1:]),
        *(Degradation(jpeg=60, offset=offset) for offset in ((0, 0), (5, 2))),
        *(
            Degradation(scale=1.5, blur=2.0, crf=2 if codec == "mpeg2" else 16, codec=codec, offset=offset)
            for codec in VIDEO_CODECS
            for offset in ((0, 0), (9, 4))
        ),
    ],
    ids=str,
)
def test_a_point_keeps_its_position(degradation: Degradation) -> None:
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    spot = 200 * torch.exp(-((y - 40.5) ** 2 + (x - 60) ** 2) / 50)
    face = (20 + spot * torch.tensor([1.0, 0.8, 0.6])[:, None, None]).round().to(torch.uint8)
    for after, factor in zip(degrade(face, degradation), (1.0, 0.8, 0.6), strict=True):
        weight = (after.float() - 20 - 30 * factor).clamp(min=0)
        centre = [((at * weight).sum() / weight.sum()).item() for at in (y, x)]
        assert centre == pytest.approx((40.5, 60), abs=0.2)


@pytest.mark.parametrize("degradation", [*KINDS, *LEVELS.values()], ids=str)
def test_grey_stays_grey(face: torch.Tensor, degradation: Degradation) -> None:
    grey = face[:1].expand(3, -1, -1).contiguous()
    after = degrade(grey, replace(degradation, grey_noise=True), seed=1)
    assert torch.equal(after[0], after[1])
    assert torch.equal(after[0], after[2])


def test_lower_quality_causes_larger_errors(face: torch.Tensor) -> None:
    for codec, qualities in (("h264", (18, 28, 38)), ("h265", (18, 28, 38)), ("mpeg2", (2, 8, 24))):
        errors = [error(degrade(face, Degradation(crf=q, codec=codec)), face) for q in qualities]
        assert errors == sorted(errors), codec


def test_a_batch_equals_its_faces_one_by_one(face: torch.Tensor) -> None:
    kinds = [Degradation(), *KINDS, *LEVELS.values()]
    faces = torch.stack([face.roll(i, dims=2) for i in range(len(kinds))])
    batch = degrade_batch(faces, kinds, range(len(kinds)))
    assert batch.dtype == torch.uint8
    for number, kind in enumerate(kinds):
        difference = batch[number].int() - degrade(faces[number], kind, seed=number).int()
        # A different rounding before a codec may change a block.
        assert (difference != 0).float().mean() < 0.01, kind
        assert kind.jpeg or kind.crf or difference.abs().max() <= 1, kind
    assert torch.equal(degrade_batch(faces[:1], kinds[:1], [0]), faces[:1])


def test_levels_are_ordered(face: torch.Tensor) -> None:
    errors = [error(degrade(face, level), face) for level in LEVELS.values()]
    assert errors == sorted(errors)
