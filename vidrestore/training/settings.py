"""The schema of training configurations: keys, types, ranges, and error messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..restoration.codeformer import CodeFormerConfig
from ..weights.entry import TASKS
from .components import SMALLEST_FACE

_REQUIRED = object()


@dataclass(frozen=True)
class _Number:
    """A number from ``low`` to ``high``, inclusive; required if it has no ``default``."""

    low: float
    high: float = float("inf")
    whole: bool = False
    default: Any = _REQUIRED
    multiple: int = 1  #: of which it is a multiple

    def wrong(self, value: Any) -> str | None:
        """Return None if the value is valid, else a description of valid values."""
        kinds = (int,) if self.whole else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high
        if fits and (self.multiple == 1 or value % self.multiple == 0):
            return None
        kind = "a whole number" if self.whole else "a number"
        kind = kind if self.multiple == 1 else f"a multiple of {self.multiple}"
        return f"{kind} of at least {self.low}" + (f" and at most {self.high}" if self.high < 1e300 else "")


@dataclass(frozen=True)
class _Choice:
    """One of ``values``."""

    values: tuple[Any, ...]
    default: Any = _REQUIRED

    def wrong(self, value: Any) -> str | None:
        # Compare types too, because True == 1 in Python.
        if any(value == v and type(value) is type(v) for v in self.values):
            return None
        return "one of " + ", ".join(str(v).lower() for v in self.values)


_SWITCH = _Choice((False, True))
_SHARE = _Number(0.0, 1.0)

_COMMON = {
    "steps": _Number(1, whole=True),
    "batch": _Number(1, whole=True),  #: faces, for all processes together
    "rate": _Number(0.0),
    "optimiser": _Choice(("adamw", "muon"), default="adamw"),
    "clip": _Number(0.0),  #: maximum norm of the gradient
    "average": _SHARE,  #: decay of the moving average of the weights
    "decay": _Number(0.0, 1.0, default=1.0),  #: share of the steps, the last ones, in which the rate falls
}
_IMAGE = {
    "gradient": _Number(0.0),
    "coarse": _Number(0.0, default=0.0),  #: weight of L1 of the images downscaled by 8
    #: weight of the pixels between eyes and mouth, of those far from them; whole faces only
    "focus": _Number(1.0, default=1.0),
    "perceptual": _Number(0.0),
    "perceptual_start": _Number(0, whole=True, default=0),  #: first step of the perceptual distance
    "perceptual_every": _Number(1, whole=True, default=2),  #: steps between perceptual distances
    "perceptual_net": _Choice(("alex", "vgg")),
    "crop": _Number(32, whole=True),  #: side of the input of the perceptual network and the discriminator
    "adversarial": _Number(0.0, default=0.0),
    "adversarial_start": _Number(0, whole=True, default=0),
    #: first steps of the discriminator, in which it learns and nobody learns from it
    "adversarial_alone": _Number(0, whole=True, default=0),
    "discriminator_channels": _Number(8, whole=True, default=64, multiple=8),
    "identity": _Number(0.0, default=0.0),  #: weight of the identity loss; whole faces only
    #: weight of the losses of eyes and mouth; whole faces only
    "components": _Number(0.0, default=0.0),
    "identity_every": _Number(1, whole=True, default=2),  #: steps between losses of identity and components
}
#: Stage III of a network whose CFT is at the image.
_STAGE3_IMAGE = _COMMON | {
    "parts": _Number(1, whole=True),  #: crops per face
    "part": _Number(64, whole=True),  #: side of a crop; the perceptual network mostly gets half of it
    "pixel_zero": _Number(0.0),
    "structure": _Number(0.0),
    "perceptual_start": _Number(0, whole=True, default=0),
    "perceptual_one": _Number(0.0),
    "perceptual_zero": _Number(0.0),
    "perceptual_net": _Choice(("alex", "vgg")),
    "perceptual_parts": _Number(1, whole=True),  #: crops per batch for the perceptual network
    "adversarial": _Number(0.0, default=0.0),
    "adversarial_start": _Number(0, whole=True, default=0),
    "discriminator_channels": _Number(8, whole=True, default=32, multiple=8),
}
_GENERAL = {
    "seed": _Number(0, whole=True),
    "precision": _Choice(("fp32", "bf16")),  #: bf16 only on devices with instructions for it, else fp32
    "workers": _Number(0, whole=True),  #: data loader processes per training process
    #: What the network is to do with faces. What theirs lack takes the place of degradations.
    "task": _Choice(TASKS, default="restore"),
    "degradation": _Choice(("video", "paper"), default="video"),
    "sheet_every": _Number(0, whole=True, default=1000),  #: steps between contact sheets; 0 disables
}
_STAGES = {
    "stage1": _COMMON
    | _IMAGE
    | {
        "part": _Number(32, whole=True),
        "warmup": _Number(0, whole=True),
        "adain": _SWITCH,
        "commitment": _Number(0.0),
        #: after beginning from a smaller network: first steps, in which only the new layers learn
        "outer_steps": _Number(0, whole=True, default=0),
        "generator_from": _Number(0, whole=True, default=0),  #: first step of the generator alone; 0 for none
    },
    "stage2": _COMMON | {"encoder_scale": _Number(0.0), "feature": _Number(0.0)},
    "stage3": _COMMON
    | _IMAGE
    | {
        "encoder_scale": _Number(0.0),
        "generator_scale": _Number(0.0),
        "correction_scale": _Number(0.0, default=1.0),
        "w_zero": _SHARE,
        "w_one": _SHARE,
        "code_every": _Number(1, whole=True),
        "code": _Number(0.0),
        "feature": _Number(0.0),
        #: weights whose trained U-Net at the image the correction begins with; "" for none
        "correction_from": _Choice(("", "lite"), default=""),
        #: share of what such a correction learns that is exported; the rest is what it began with
        "correction_share": _Number(0.0, 1.0, default=1.0),
    },
}


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``config`` with its defaults filled in.

    Raises UsageError, which names the key, if a setting is missing, unknown or out of range.
    """
    if not isinstance(config, Mapping):
        raise UsageError("a training configuration must be a table of settings; see configs/train/lite.yaml")
    tables = {"model", *_STAGES}
    for name in sorted(tables):
        if not isinstance(config.get(name), Mapping):
            raise UsageError(f"the configuration has no table {name!r}; see configs/train/lite.yaml")
    general = _filled({k: v for k, v in config.items() if k not in tables}, _GENERAL, "the configuration")
    try:
        sizes = CodeFormerConfig.from_dict(config["model"])
    except (TypeError, ValueError) as error:
        raise UsageError(f"the configuration's table 'model': {error}") from None
    if general["task"] != "restore" and sizes.image_widths:
        raise UsageError(
            f"a model with image_widths restores faces; for the task {general['task']} leave them out"
        )
    known = _STAGES | ({"stage3": _STAGE3_IMAGE} if sizes.at_image else {})
    stages = {name: _filled(config[name], keys, name) for name, keys in known.items()}
    for name, stage in stages.items():
        if "part" in stage:
            _check_part(name, stage["part"], sizes)
    _check_together(stages, sizes)
    return {**general, "model": dict(config["model"]), **stages}


def _check_together(stages: Mapping[str, Mapping[str, Any]], sizes: CodeFormerConfig) -> None:
    first, last = stages["stage1"], stages["stage3"]
    for stage in (first, last):
        if stage.get("components") and sizes.image_size < SMALLEST_FACE:
            raise UsageError(
                f"components are eyes and mouth, which in faces of {sizes.image_size} pixels are too small; "
                "set it to 0"
            )
    if first["adain"] and not sizes.adain:
        raise UsageError(
            "stage1: adain is true, but the model's is false: its generator would learn from features that "
            "it is never given; set both alike"
        )
    if first["part"] != sizes.image_size and first["focus"] > 1:
        raise UsageError(
            f"stage1: focus is {first['focus']}, but the places of eyes and mouth are known in whole faces "
            f"only; set part to {sizes.image_size}"
        )
    for name in ("identity", "components"):
        if first[name] and not sizes.positions and first["part"] != sizes.image_size:
            raise UsageError(
                f"stage1: {name} is a loss of whole faces, but this network learns from parts of them; set "
                f"part to {sizes.image_size}, or {name} to 0"
            )
    if sizes.image_widths and last.get("correction_scale") == 0 and not last["correction_from"]:
        raise UsageError(
            "stage3: correction_scale is 0, so that the correction would stay as it is drawn at random; set "
            "correction_from, or a scale"
        )
    if last.get("correction_share", 1.0) < 1 and not last["correction_from"]:
        raise UsageError(
            "stage3: correction_share is below 1, but the correction begins at random; set correction_from"
        )


def _check_part(stage: str, part: int, sizes: CodeFormerConfig) -> None:
    stride = sizes.image_size // sizes.code_grid
    if part > sizes.image_size or part % stride:
        raise UsageError(
            f"{stage}: part is {part}, but must be a multiple of {stride}, at most {sizes.image_size}"
        )


def _filled(table: Mapping[str, Any], keys: Mapping[str, _Number | _Choice], where: str) -> dict[str, Any]:
    if unknown := sorted(map(str, set(table) - set(keys))):
        known = ", ".join(keys)
        raise UsageError(f"{where} has unknown settings: {', '.join(unknown)}; known settings are {known}")
    filled = {k: key.default for k, key in keys.items()} | dict(table)
    if missing := [k for k, value in filled.items() if value is _REQUIRED]:
        raise UsageError(f"{where} lacks settings: {', '.join(missing)}; see configs/train/lite.yaml")
    for name, value in filled.items():
        if wanted := keys[name].wrong(value):
            raise UsageError(f"{where}: {name} is {value!r}, but must be {wanted}")
    return filled
