"""What a training configuration may hold, and what is said where it holds something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..restoration.codeformer import CodeFormerConfig

_REQUIRED = object()


@dataclass(frozen=True)
class _Number:
    """A number from ``low`` to ``high``, both included; without a ``default`` it must be given."""

    low: float
    high: float = float("inf")
    whole: bool = False
    default: Any = _REQUIRED

    def wrong(self, value: Any) -> str | None:
        """What the value should be, if it is not."""
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high:
            return None
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} of at least {self.low}" + (f" and at most {self.high}" if self.high < 1e300 else "")


@dataclass(frozen=True)
class _Choice:
    """One of ``values``."""

    values: tuple[Any, ...]
    default: Any = _REQUIRED

    def wrong(self, value: Any) -> str | None:
        # By type as well: in Python, True is 1.
        if any(value == v and type(value) is type(v) for v in self.values):
            return None
        return "one of " + ", ".join(str(v).lower() for v in self.values)


_SWITCH = _Choice((False, True))
_SHARE = _Number(0.0, 1.0)

_COMMON = {
    "steps": _Number(1, whole=True),
    "batch": _Number(1, whole=True),  #: of all processes together
    "rate": _Number(0.0),
    "clip": _Number(0.0),  #: largest norm of the gradient
    "average": _SHARE,  #: decay of the weights' moving average
}
_IMAGE = {
    "gradient": _Number(0.0),
    "perceptual": _Number(0.0),
    "perceptual_net": _Choice(("alex", "vgg")),
    "crop": _Number(32, whole=True),  #: side of what perceptual network and discriminator see
    "adversarial": _Number(0.0, default=0.0),
    "adversarial_start": _Number(0, whole=True, default=0),
    "discriminator_channels": _Number(8, whole=True, default=64),
}
#: Stage III of a network with ``image_widths``.
_STAGE3_IMAGE = _COMMON | {
    "parts": _Number(1, whole=True),  #: of each face
    "part": _Number(64, whole=True),  #: the perceptual network sees half of it
    "pixel_zero": _Number(0.0),
    "structure": _Number(0.0),
    "perceptual_start": _Number(0, whole=True, default=0),
    "perceptual_one": _Number(0.0),
    "perceptual_zero": _Number(0.0),
    "perceptual_net": _Choice(("alex", "vgg")),
    "perceptual_parts": _Number(1, whole=True),  #: of each batch
    "adversarial": _Number(0.0, default=0.0),
    "adversarial_start": _Number(0, whole=True, default=0),
    "discriminator_channels": _Number(8, whole=True, default=32),
}
_GENERAL = {
    "seed": _Number(0, whole=True),
    "precision": _Choice(("fp32", "bf16")),
    "workers": _Number(0, whole=True),  #: of each process, for making faces
    "degradation": _Choice(("video", "paper"), default="video"),
    "sheet_every": _Number(0, whole=True, default=1000),  #: steps; 0 draws no contact sheets
}
_STAGES = {
    "stage1": _COMMON
    | _IMAGE
    | {
        "part": _Number(32, whole=True),
        "warmup": _Number(0, whole=True),
        "adain": _SWITCH,
        "commitment": _Number(0.0),
    },
    "stage2": _COMMON | {"encoder_scale": _Number(0.0), "feature": _Number(0.0)},
    "stage3": _COMMON
    | _IMAGE
    | {
        "encoder_scale": _Number(0.0),
        "generator_scale": _Number(0.0),
        "w_zero": _SHARE,
        "w_one": _SHARE,
        "code_every": _Number(1, whole=True),
        "code": _Number(0.0),
        "feature": _Number(0.0),
    },
}


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` with its defaults filled in. Raises UsageError, which names the key, for what is missing,
    unknown or out of range."""
    if not isinstance(config, Mapping):
        raise UsageError("a training configuration is a table of settings; see configs/train/lite.yaml")
    tables = {"model", *_STAGES}
    for name in sorted(tables):
        if not isinstance(config.get(name), Mapping):
            raise UsageError(f"the configuration has no table {name!r}; see configs/train/lite.yaml")
    general = _filled({k: v for k, v in config.items() if k not in tables}, _GENERAL, "the configuration")
    try:
        sizes = CodeFormerConfig.from_dict(config["model"])
    except (TypeError, ValueError) as error:
        raise UsageError(f"the configuration's model: {error}") from None
    known = _STAGES | ({"stage3": _STAGE3_IMAGE} if sizes.image_widths else {})
    stages = {name: _filled(config[name], keys, name) for name, keys in known.items()}
    for name, stage in stages.items():
        if "part" in stage:
            _check_part(name, stage["part"], sizes)
    return {**general, "model": dict(config["model"]), **stages}


def _check_part(stage: str, part: int, sizes: CodeFormerConfig) -> None:
    stride = sizes.image_size // sizes.code_grid
    if part > sizes.image_size or part % stride:
        raise UsageError(
            f"{stage}: part is {part}, but must be a multiple of {stride}, at most {sizes.image_size}"
        )


def _filled(table: Mapping[str, Any], keys: Mapping[str, _Number | _Choice], where: str) -> dict[str, Any]:
    if unknown := sorted(map(str, set(table) - set(keys))):
        raise UsageError(f"{where} has unknown settings: {', '.join(unknown)}; it may hold {', '.join(keys)}")
    filled = {k: key.default for k, key in keys.items()} | dict(table)
    if missing := [k for k, value in filled.items() if value is _REQUIRED]:
        raise UsageError(f"{where} lacks settings: {', '.join(missing)}")
    for name, value in filled.items():
        if wanted := keys[name].wrong(value):
            raise UsageError(f"{where}: {name} is {value!r}, but must be {wanted}")
    return filled
