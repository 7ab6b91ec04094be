"""What is done to faces, as data."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.support.small_networks import SMALL
from tests.support.stand_in import image, shapes, stand_in
from vidrestore.errors import UsageError, WeightsError
from vidrestore.restoration.codeformer import CodeFormer, build_codeformer
from vidrestore.restoration.load import load_restorer, resolve_model
from vidrestore.restoration.tasks import TASKS, find_task
from vidrestore.weights import entry
from vidrestore.weights.registry import REGISTRY

CPU = torch.device("cpu")


def test_every_task_has_a_model_of_its_own_with_the_published_settings():
    assert tuple(TASKS) == entry.TASKS
    colour, inpaint = TASKS["colour"], TASKS["inpaint"]
    assert (colour.w, colour.adain) == (0, True)
    assert (inpaint.w, inpaint.adain) == (1, False)
    for task in TASKS.values():
        network = REGISTRY[task.model or "codeformer"].network
        assert network is not None
        assert network.task == task.name


def test_rules_that_would_undo_a_task_do_not_hold_for_it():
    """A sharp face can lack colour, and what lies over a face is what is to be filled."""
    assert [task.spares_sharp for task in TASKS.values()] == [True, False, False]
    assert [task.guarded for task in TASKS.values()] == [True, False, False]
    cover = np.ones((4, 4), np.uint8)
    assert [task.wants(None) for task in TASKS.values()] == [True, True, False]
    assert all(task.wants(cover) for task in TASKS.values())


@pytest.mark.parametrize(("task", "codes"), [("colour", 1024), ("inpaint", 512)])
def test_the_published_shapes_are_those_of_our_network(task, codes):
    """515 tensors less the 18 of the CFT's level at 256 pixels, by their names, strictly."""
    with torch.device("meta"):
        state = {key: torch.empty(shape) for key, shape in shapes(task).items()}
    assert len(shapes()) == 515
    assert len(state) == 497
    network = build_codeformer(state, {}, task)
    assert (network.config.codebook_size, network.config.cft_sizes) == (codes, (32, 64, 128))
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == shapes(task)


@pytest.mark.slow  # two networks at their real size
@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_files_of_the_published_shapes_load_and_run(tmp_path, task):
    state = {key: stand_in(key, shape) for key, shape in shapes(task).items()}
    torch.save({"params_ema": state}, tmp_path / "published.pth")
    restorer = load_restorer(
        tmp_path / "published.pth", device=torch.device("cpu"), precision="fp32", task=task
    )
    w = find_task(task).w
    assert w is not None
    face = (image() + 1) / 2
    found = restorer(face.clamp(0, 1), torch.tensor([w]))
    with torch.inference_mode():
        network = build_codeformer(state, {}, task).eval()
        wanted = network(face.clamp(0, 1) * 2 - 1, w, find_task(task).adain)
    assert torch.allclose(found, ((wanted + 1) / 2).clamp(0, 1), atol=1e-3)


@pytest.mark.parametrize(("task", "adain", "w"), [("colour", True, 0.0), ("inpaint", False, 1.0)])
def test_networks_run_with_the_statistics_that_the_task_says(tmp_path, task, adain, w):
    network = CodeFormer(SMALL).eval()
    metadata = {"config": json.dumps(SMALL.to_dict()), "task": task}
    save_file(network.state_dict(), tmp_path / "own.safetensors", metadata)
    restorer = load_restorer(tmp_path / "own.safetensors", device=CPU, precision="fp32", task=task)
    face = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        wanted, other = (((network(face * 2 - 1, w, a) + 1) / 2).clamp(0, 1) for a in (adain, not adain))
    assert torch.allclose(restorer(face, torch.tensor([w])), wanted, atol=1e-4)
    assert not torch.allclose(wanted, other, atol=1e-3)


def test_a_file_for_another_task_is_refused(tmp_path):
    metadata = {"config": json.dumps(SMALL.to_dict()), "task": "colour"}
    save_file(CodeFormer(SMALL).state_dict(), tmp_path / "own.safetensors", metadata)
    with pytest.raises(UsageError, match="colours grey faces: use it with --task colour"):
        load_restorer(tmp_path / "own.safetensors", device=CPU, precision="fp32")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"model": "lite", "task": "colour"},
            "lite restores faces: use it with --task restore; for --task colour",
        ),
        ({"model": "codeformer_inpainting"}, "fills holes in faces: use it with --task inpaint"),
        (
            {"model": "auto", "task": "inpaint", "commercial": True},
            "may be used commercially: none here, but your own file of weights",
        ),
    ],
)
def test_models_that_do_not_fit_the_task(given, problem):
    with pytest.raises(UsageError, match=problem):
        resolve_model(**given, offline=True)


def test_auto_is_the_model_of_the_task_and_falls_back_to_none(monkeypatch):
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")
    choice = resolve_model("auto", task="colour", download=False)
    assert (choice.name, choice.fallback) == ("codeformer_colorization", None)
    with pytest.raises(WeightsError, match="vidrestore weights get codeformer_colorization"):
        resolve_model("auto", task="colour", offline=True)


def test_an_unknown_task():
    with pytest.raises(UsageError, match="choose one of restore, colour, inpaint"):
        find_task("animate")
