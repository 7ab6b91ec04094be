"""What is known of one file of weights, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a network can be trained for: to restore faces, to colour grey ones, to fill holes in them.
TASKS = ("restore", "colour", "inpaint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How a restorer's network is called.

    Faces are RGB, aligned to the FFHQ five-point template. Every known network takes and gives values in
    [-1, 1], which ``value_range`` says nevertheless: a file that is not known is taken to be like them. The
    precisions in which results can be trusted are those of the backend and the architecture.
    """

    #: Who runs it: this package's CodeFormer, spandrel (the extra ``restorers``) or ONNX Runtime (``onnx``).
    backend: Literal["codeformer", "spandrel", "onnx"]
    input_size: int  #: side in pixels of the aligned faces that it takes and gives
    value_range: tuple[float, float] = (-1.0, 1.0)  #: values of black and white, of input and output
    task: Literal["restore", "colour", "inpaint"] = "restore"  #: what it was trained for
    output: str | None = None  #: name of the ONNX output that is the restored face
    #: Range of sharpness over which its faces become trustworthy, see ``RestorerSpec``. A file of weights may
    #: declare its own. None: that of the published CodeFormer.
    readable: tuple[float, float] | None = None
    #: Range of sharpness over which its faces show more than its codes hold, see ``RestorerSpec``. A file of
    #: weights may declare its own. None: its codes hold every face.
    codes_hold: tuple[float, float] | None = None
    source: str  #: where these facts are stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlarger:
    """How a network that enlarges whole pictures is called: by spandrel, with RGB in [0, 1], in float32."""

    factor: int  #: how many times as wide and as high pictures become
    partner: str | None = None  #: name of the weights that it can be blended with, which denoise less
    source: str  #: where these facts are stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One file of weights. An instance of this class itself is embedded: its file is part of the package."""

    name: str  #: as given on the command line
    about: str  #: what the model does, in one sentence
    filename: str  #: in this package, or in the cache folder
    licence: str
    licence_url: str
    commercial: bool  #: whether the licence allows commercial use
    network: Network | None = None  #: of a restorer
    enlarger: Enlarger | None = None  #: of a network that enlarges whole pictures

    @property
    def embedded(self) -> bool:
        """Whether the file is part of the package."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWeights(Weights):
    """One file of weights that is downloaded into the cache folder."""

    url: str
    size: int | None = None  #: bytes; None: not known
    sha256: str | None = None  #: hex digits; None: not known, so that a download cannot be verified

    @property
    def embedded(self) -> bool:
        return False
