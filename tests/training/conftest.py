"""A tiny run that several test files use."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.small_training import CONFIG, write_faces
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import STAGES, Trainer


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return FaceSet(write_faces(tmp_path_factory.mktemp("faces")))


@pytest.fixture(scope="session")
def run(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with all three stages completed."""
    if find_spec("stlpips_pytorch") is None:
        pytest.skip("no perceptual weights")
    folder = tmp_path_factory.mktemp("run")
    for stage in STAGES:
        Trainer(CONFIG, stage, faces=faces, run=folder).train()
    return folder
