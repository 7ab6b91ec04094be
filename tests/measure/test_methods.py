"""The methods that are compared: their names, and what they return."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from vidrestore.errors import UsageError
from vidrestore.measure.methods import BICUBIC, INPUT, NLM, apply_methods, load_models, method_name
from vidrestore.weights.store import fingerprint, locate


def test_every_method_returns_faces_of_the_same_shape() -> None:
    faces = torch.randint(0, 256, (2, 3, 512, 512), generator=torch.manual_seed(0), dtype=torch.uint8)
    (model,) = load_models(["lite"], [], device="cpu", precision="fp32")
    assert model.sha256 == fingerprint("lite")
    methods = apply_methods(faces, 4.0, [model], [0.0, 1.0])
    assert list(methods) == [INPUT, BICUBIC, NLM, "lite w=0", "lite w=1"]
    assert {(tuple(images.shape), images.dtype) for images in methods.values()} == {
        ((2, 3, 512, 512), torch.uint8)
    }
    assert torch.equal(methods[INPUT], faces)
    assert not torch.equal(methods["lite w=0"], methods["lite w=1"])


def test_a_model_from_a_file_has_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "copy.safetensors"
    source = locate("lite")
    assert source is not None
    shutil.copy(source, path)
    (model,) = load_models([], [path], device="cpu")
    assert (model.name, model.sha256) == ("copy", fingerprint("lite"))


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two models are named lite; rename the weights file of one"):
        load_models(["lite", "lite"], [], device="cpu")


def test_method_names() -> None:
    assert method_name("lite", 0.50) == "lite w=0.5"
