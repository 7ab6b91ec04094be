"""What ``--background`` means: which upscaler a run uses, and whether its weights are here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..weights.packages import PACKAGES, need_package
from ..weights.registry import REGISTRY, refuse_non_commercial, upscaler_names, with_hash
from ..weights.store import check_file, fingerprint, obtain

log = logging.getLogger(__name__)

#: The upscaler that needs no weights.
LANCZOS = "lanczos"


@dataclass(frozen=True, kw_only=True)
class UpscalerSetup:
    """What loading an upscaler needs to know, decided."""

    factor: int  #: 2, 3 or 4
    name: str  #: ``lanczos``, a name in the weights registry, or the name of the file ``weights``
    weights: Path | None = None  #: the user's own file
    partner: str | None = None  #: name in the weights registry of what it is blended with
    denoise: float = 1.0  #: share of ``name``'s weights, in [0, 1]; the rest is the partner's
    faces: bool = False  #: faces that are larger than a restorer's are enlarged by it, too
    steady: bool = True  #: for a video: what it adds must not flicker
    missing: tuple[str, ...] = ()  #: weights that are not in the cache yet; empty in a run

    @property
    def sources(self) -> tuple[str | Path, ...]:
        """The names or paths of its weights."""
        if self.name == LANCZOS:
            return ()
        return (self.weights or self.name, *((self.partner,) if self.partner else ()))

    @property
    def licence(self) -> str | None:
        """Of its weights, if it is known."""
        known = with_hash(fingerprint(self.weights)) if self.weights else REGISTRY.get(self.name)
        return known.licence if known else None

    def __str__(self) -> str:
        blended = f", denoise {self.denoise:g}" if self.partner else ""
        return f"{self.name}, {self.factor} times{blended}{', faces too' if self.faces else ''}"


def resolve_upscaler(
    background: str,
    *,
    factor: int,
    denoise: float | None = None,
    faces: bool = False,
    steady: bool = True,
    offline: bool = False,
    commercial: bool = False,
    download: bool = True,
) -> UpscalerSetup | None:
    """Resolve the options ``--background``, ``--upscale``, ``--denoise`` and ``--face-upsample``.

    Args:
        background: ``lanczos``, the name of an upscaler in the registry, or the path of a file of weights.
        factor: How many times frames are enlarged; 1: not at all.
        denoise: Share of the weights that denoise strongly, in [0, 1]; None: all.
        faces: Whether faces are enlarged by it, too.
        steady: Whether it is for a video.
        offline: Never use the network.
        commercial: Only weights whose licence allows commercial use.
        download: Download weights that are not in the cache, so that none are ``missing``.

    Returns:
        None if frames are not enlarged.

    Raises:
        UsageError: The options do not fit each other, or there is no such upscaler.
        WeightsError: Weights cannot be downloaded or are no file of weights, or a package is not installed.
    """
    if background == LANCZOS:
        for given, option in ((denoise is not None, "--denoise"), (faces, "--face-upsample")):
            if given:
                raise UsageError(
                    f"{option} needs a network that enlarges; give --background {upscaler_names()[0]}"
                )
        return None if factor == 1 else UpscalerSetup(factor=factor, name=LANCZOS)
    if factor == 1:
        raise UsageError(f"--background {background} enlarges; give --upscale 2, 3 or 4 with it")
    if background not in upscaler_names():
        return _own_file(Path(background), factor, denoise, faces=faces, steady=steady, commercial=commercial)
    known = REGISTRY[background]
    assert known.enlarger is not None  # as it is an upscaler
    if denoise is not None and known.enlarger.partner is None:
        raise UsageError(f"--denoise is for --background {_with_partner()}; leave it out")
    partner = known.enlarger.partner if denoise is not None and denoise < 1 else None
    if commercial:
        refuse_non_commercial(known, upscaler_names())
    need_package(PACKAGES["spandrel"], background)
    names = (background, *((partner,) if partner else ()))
    missing = [name for name in names if not obtain(name, offline=offline, download=download)]
    return UpscalerSetup(
        factor=factor,
        name=background,
        partner=partner,
        denoise=1.0 if denoise is None else denoise,
        faces=faces,
        steady=steady,
        missing=tuple(missing),
    )


def _own_file(
    path: Path, factor: int, denoise: float | None, *, faces: bool, steady: bool, commercial: bool
) -> UpscalerSetup:
    if not path.exists():
        if (known := REGISTRY.get(str(path))) and known.network:
            raise UsageError(f"--background {path} works on faces; give it with --model")
        names = ", ".join((LANCZOS, *upscaler_names()))
        raise UsageError(
            f"--background {path} is neither an upscaler nor a file; choose one of {names}, or give a file "
            "of weights"
        )
    if denoise is not None:
        raise UsageError(f"--denoise is for --background {_with_partner()}; leave it out")
    if check_file(path) == "onnx":
        raise UsageError(f"--background {path} is an ONNX file; give weights as .pth or .safetensors")
    need_package(PACKAGES["spandrel"], path.name)
    if commercial:
        known = with_hash(fingerprint(path))
        if known is None:
            log.warning("the licence of %s is not known: see whether it allows commercial use", path)
        else:
            refuse_non_commercial(known, upscaler_names())
    return UpscalerSetup(factor=factor, name=path.name, weights=path, faces=faces, steady=steady)


def _with_partner() -> str:
    """The names of the upscalers that have a partner."""
    known = (REGISTRY[name] for name in upscaler_names())
    return " or ".join(w.name for w in known if w.enlarger and w.enlarger.partner)
