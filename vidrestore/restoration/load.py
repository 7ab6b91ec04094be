"""Choose the restoration model of a run and load it."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import WeightsError
from ..weights.registry import REGISTRY, announcement
from ..weights.store import fetch, is_offline, load_state, locate
from .codeformer import CodeFormerRestorer, build_codeformer
from .codeformer.restorer import PAPER_RANGE

log = logging.getLogger(__name__)

#: Seconds that ``auto`` waits for the server's answer before it falls back to the embedded model.
_TIMEOUT = 4.0


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that a run uses, by its name in the weights registry."""

    name: str
    missing: bool = False  #: its weights are not in the cache yet: loading it downloads them first
    fallback: str | None = None  #: the model used instead if that download fails; None: the run fails


def resolve_model(model: str, *, offline: bool = False, download: bool = True) -> ModelChoice:
    """Resolve the option ``--model`` to a model of the weights registry.

    ``auto`` is the published CodeFormer if its weights are in the cache or can be downloaded, else the
    embedded model ``lite``; which and why is logged in one line.

    Args:
        model: ``auto``, ``codeformer`` or ``lite``.
        offline: Never use the network. The environment variable ``VIDRESTORE_OFFLINE`` does the same.
        download: Download weights that are not in the cache, so that the returned choice is never
            ``missing``. A dry run passes False: the network is not used and nothing is logged.

    Raises:
        WeightsError: ``codeformer`` was requested, is not in the cache and cannot be downloaded (with
            ``download`` False: ``offline`` forbids it).
    """
    offline = offline or is_offline()
    if model != "auto":
        if download or offline:
            fetch(model, offline=offline)
        return ModelChoice(model, missing=locate(model) is None)
    if locate("codeformer"):
        return ModelChoice("codeformer")
    hint = "the published model is better: vidrestore weights get codeformer"
    if offline:
        if download:
            log.info("using the embedded model lite (offline); %s", hint)
        return ModelChoice("lite")
    if not download:
        return ModelChoice("codeformer", missing=True, fallback="lite")
    log.info("%s", announcement("codeformer"))
    try:
        fetch("codeformer", timeout=_TIMEOUT)
    except WeightsError:
        log.warning("CodeFormer's weights cannot be downloaded now: using the embedded model lite; %s", hint)
        return ModelChoice("lite")
    return ModelChoice("codeformer")


def load_restorer(model: str | Path, *, device: torch.device, precision: str) -> CodeFormerRestorer:
    """Load a restorer.

    Args:
        model: The name of a model whose weights are in the cache, as :func:`resolve_model` returned it; or
            the path of a file of weights, which must be a ``Path``.
        device: Where it runs.
        precision: ``fp32``, ``bf16`` or ``fp16``.

    Raises:
        WeightsError: The weights are missing, damaged, or not those of a CodeFormer.
    """
    state, metadata = load_state(model)
    network = build_codeformer(state, metadata, str(model))
    if isinstance(model, Path):
        name, licence = model.name, metadata.get("licence", "that of its author")
    else:
        name, licence = model, REGISTRY[model].licence
    return CodeFormerRestorer(
        network,
        name=name,
        licence=licence,
        readable=_readable(model, metadata),
        device=device,
        precision=precision,
    )


def _readable(model: str | Path, metadata: Mapping[str, str]) -> tuple[float, float]:
    """The range of sharpness that a model declares: in its file, else in the registry."""
    if "readable" in metadata:
        try:
            low, high = map(float, json.loads(metadata["readable"]))
        except (TypeError, ValueError):
            low = high = math.nan
        if not 0 <= low < high <= 1:
            raise WeightsError(
                f"{model} declares readable={metadata['readable']}; it must be two rising numbers in [0, 1]"
            )
        return low, high
    declared = None if isinstance(model, Path) else REGISTRY[model].readable
    return declared or PAPER_RANGE
