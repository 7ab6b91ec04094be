"""Colours of grey faces over time."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.support.oracles import SKIN
from vidrestore.restoration.luma import luma
from vidrestore.restoration.temporal.chroma import (
    REACH,
    chroma_of,
    measure_chroma,
    missing_chroma,
    steady_chroma,
)
from vidrestore.restoration.temporal.colour_transfer import spread
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON

GREY = torch.linspace(0.2, 0.7, 64)[None, None, None].expand(1, 3, 64, 64)


def face(brightness: float, tint: float) -> RestoredFace[None]:
    """A grey face in a light of ``brightness``, coloured as skin, with another tint."""
    image = brightness * GREY
    coloured = image + image * (SKIN + torch.tensor([tint, 0.0, -tint]))[:, None, None]
    return RestoredFace(
        track=1,
        source=None,
        layers=torch.cat((coloured[0], torch.ones(1, 64, 64))).half(),
        tint=measure_chroma(image, coloured)[0],
        comparison=NO_COMPARISON,
    )


def broad_colours(of: RestoredFace[None], brightness: float) -> torch.Tensor:
    """The mean colours that a face is written with in a light of ``brightness``."""
    image = brightness * GREY[0]
    assert of.hue is not None
    coloured = of.restored.float()
    change = spread(missing_chroma(coloured, luma(image, 0), of.hue), 64)[0]
    return (chroma_of(coloured[None])[0] + change).mean(dim=(1, 2))


def test_broad_colours_are_the_mean_over_the_track():
    generator = torch.Generator().manual_seed(0)
    tints = (0.1 * torch.randn(2 * REACH + 1, generator=generator)).tolist()
    around = [(o, face(1.0, tints[o + REACH])) for o in range(-REACH, REACH + 1) if o]
    steady = steady_chroma(face(1.0, 0.3), around)
    alone = steady_chroma(face(1.0, 0.3), ())
    wanted = broad_colours(steady_chroma(face(1.0, 0.0), ()), 1.0)
    off = [(broad_colours(x, 1.0) - wanted).abs().max() for x in (steady, alone)]
    assert off[0] < 0.15 * off[1]


def test_colours_follow_the_light():
    """Half the light, half the colour, whatever the light of the frames around."""
    around = [(o, face(1.0, 0.0)) for o in (-3, -2, -1, 1, 2, 3)]
    dark = broad_colours(steady_chroma(face(0.5, 0.0), around), 0.5)
    bright = broad_colours(steady_chroma(face(1.0, 0.0), around), 1.0)
    assert torch.allclose(dark, bright / 2, atol=0.1 * float(bright.abs().max()))


def test_a_place_that_shows_something_else_counts_little():
    """Where a dark thing is in front of the face in the frames around, its colour is not the face's."""
    other = face(1.0, 0.0)
    measured = other.tint.clone()
    measured[3, :, :4] = 0.02
    measured[:3, :, :4] = 5.0
    around = [(o, replace(other, tint=measured)) for o in (-1, 1)]
    plain = steady_chroma(face(1.0, 0.0), ()).hue
    hue = steady_chroma(face(1.0, 0.0), around).hue
    assert plain is not None
    assert hue is not None
    mean = (plain + 2 * 23 / 25 * 5.0) / (1 + 2 * 23 / 25)
    assert (hue - plain)[:, :, :3].abs().max() < 0.25 * (mean - plain)[:, :, :3].abs().max()
