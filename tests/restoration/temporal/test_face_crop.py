"""The states of a face: frozen, and each with exactly what later steps need."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
import torch

from vidrestore.restoration.temporal.face_crop import (
    ComparedFace,
    FaceCrop,
    ObservedFace,
    PlannedFace,
    RestoredFace,
)
from vidrestore.restoration.temporal.motion import NO_COMPARISON

LAYERS = torch.arange(4 * 2 * 2.0).view(4, 2, 2)


def test_layers_are_the_face_and_its_mask():
    face = RestoredFace(
        track=1, source="place", layers=LAYERS, tint=torch.zeros(2, 112), comparison=NO_COMPARISON
    )
    assert torch.equal(face.restored, LAYERS[:3])
    assert torch.equal(face.mask, LAYERS[3])
    with pytest.raises(FrozenInstanceError):
        face.track = 2


def test_each_state_drops_what_has_been_used():
    names = [
        {field.name for field in fields(state)}
        for state in (FaceCrop, PlannedFace, ComparedFace, ObservedFace, RestoredFace)
    ]
    crop, planned, compared, observed, restored = names
    assert crop - planned == {"set_w", "set_strength", "time"}
    assert planned - compared == {"view"}
    assert compared - observed == set()
    assert observed - restored == {
        "image",
        "is_shown",
        "observation",
        "quality",
        "strength",
    }
    assert all({"track", "source"} <= state for state in names)
