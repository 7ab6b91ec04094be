"""The schema of configurations, and an error message for every violation."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.small_training import CONFIG, IMAGE, WITH_CORRECTION
from vidrestore.errors import UsageError
from vidrestore.training.settings import complete

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "train").glob("*.yaml"))


#: The smallest faces whose eyes and mouths have losses.
LARGE = CONFIG | {"model": CONFIG["model"] | {"image_size": 256, "patch": 16}}


def without(table: str, key: str) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    del (config[table] if table else config)[key]
    return config


def with_(table: str, **more: Any) -> dict[str, Any]:
    return CONFIG | ({table: CONFIG[table] | more} if table else more)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "must be a table of settings"),
        (without("", "stage2"), "no table 'stage2'"),
        (without("", "seed"), "the configuration lacks settings: seed"),
        (without("stage3", "w_one"), "stage3 lacks settings: w_one"),
        (with_("", speed=1), "the configuration has unknown settings: speed"),
        (with_("stage2", part=64), "stage2 has unknown settings: part"),
        (with_("", precision="fp16"), "precision is 'fp16', but must be one of fp32, bf16"),
        (with_("", task="animate"), "task is 'animate', but must be one of restore, colour, inpaint"),
        (CONFIG | IMAGE | {"task": "colour"}, "with image_widths restores faces; for the task colour"),
        (with_("", degradation="jpeg"), "degradation is 'jpeg', but must be one of video, paper"),
        (with_("stage1", batch=2.5), "stage1: batch is 2.5, but must be a whole number of at least 1"),
        (with_("stage1", batch=True), "batch is True"),
        (with_("stage1", adain=1), "adain is 1, but must be one of false, true"),
        (with_("stage1", rate="1e-3"), "rate is '1e-3', but must be a number"),
        (with_("stage3", w_zero=1.5), "w_zero is 1.5, but must be a number of at least 0.0 and at most 1.0"),
        (with_("stage1", part=60), "part is 60, but must be a multiple of 8, at most 64"),
        (with_("stage1", part=128), "part is 128"),
        (with_("stage1", part=32, focus=2), "focus is 2, but .* in whole faces only; set part to 64"),
        (with_("stage1", part=32, identity=0.1), "identity is a loss of whole faces, .* or identity to 0"),
        (
            LARGE | {"stage1": CONFIG["stage1"] | {"part": 128, "components": 1}},
            "components is a loss of whole faces",
        ),
        (with_("stage1", components=0.1), "in faces of 64 pixels are too small; set it to 0"),
        (with_("stage3", components=0.1), "in faces of 64 pixels are too small"),
        (CONFIG | {"model": CONFIG["model"] | {"adain": False}}, "adain is true, but the model's is false"),
        (
            CONFIG | {"model": WITH_CORRECTION, "stage3": CONFIG["stage3"] | {"correction_scale": 0.0}},
            "correction_scale is 0, so that the correction would stay as it is drawn at random",
        ),
        (with_("stage3", correction_share=0.5), "correction_share is below 1, but .* begins at random"),
        (with_("stage1", focus=0.5), "focus is 0.5, but must be a number of at least 1.0"),
        (with_("stage1", discriminator_channels=20), "must be a multiple of 8 of at least 8"),
        (with_("stage1", optimiser="sgd"), "optimiser is 'sgd', but must be one of adamw, muon"),
        (with_("model", chanels=3), r"unknown CodeFormer settings \['chanels'\]"),
        (with_("model", image_size=30), "not a multiple of patch"),
    ],
)
def test_an_error_names_the_setting(config: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        complete(config)


def test_defaults_are_filled_in() -> None:
    assert complete(without("", "degradation"))["degradation"] == "video"
    config = complete(without("stage1", "adversarial"))
    assert config["stage1"]["adversarial"] == 0.0
    assert complete(config) == config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configurations_are_valid(path: Path) -> None:
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert complete(config)["stage3"]["steps"] == config["stage3"]["steps"]


def test_the_published_schedule() -> None:
    """Zhou et al., 2022, section 4.1, and the weights of section 3.1."""
    path = next(path for path in CONFIGS if path.stem == "codeformer")
    config = complete(yaml.safe_load(path.read_text(encoding="utf-8")))
    stages = [config[f"stage{i}"] for i in (1, 2, 3)]
    assert [s["batch"] for s in stages] == [16, 16, 16]
    assert [s["rate"] for s in stages] == [8e-5, 8e-5, 2e-5]
    assert [s["steps"] for s in stages] == [1_500_000, 200_000, 20_000]
    assert [s.get("adversarial") for s in stages] == [0.8, None, 0.8]
    assert (config["stage1"]["part"], config["stage1"]["commitment"]) == (512, 0.25)
    assert (config["stage2"]["feature"], config["stage3"]["w_one"]) == (0.5, 1.0)
    assert config["degradation"] == "paper"
