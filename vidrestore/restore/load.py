"""Which restorer a run uses: a model by name, a file of weights, or the best that can be had."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from ..errors import WeightsError
from ..weights import REGISTRY, fetch, load_state, locate
from ..weights.listing import announcement
from ..weights.store import is_offline
from .codeformer import CodeFormerRestorer, build_codeformer

log = logging.getLogger(__name__)

#: Seconds that ``auto`` waits for a server before it goes on with the embedded model.
_PATIENCE = 4.0


def choose_model(model: str, *, offline: bool = False) -> str:
    """The name of the model to load for ``auto``, ``codeformer`` or ``lite``.

    ``auto`` is the published CodeFormer where its weights are here or can be fetched now, and the
    embedded model otherwise, said in one line. Raises WeightsError where ``codeformer`` was asked for
    and cannot be had.
    """
    if model == "lite":
        return model
    if model == "codeformer":
        fetch("codeformer", offline=offline)
        return model
    if locate("codeformer"):
        return "codeformer"
    get = "the published model is better: vidrestore weights get codeformer"
    if offline or is_offline():
        log.info("using the embedded model lite (offline); %s", get)
        return "lite"
    log.info("%s", announcement(REGISTRY["codeformer"]))
    try:
        fetch("codeformer", timeout=_PATIENCE)
    except WeightsError:
        log.warning("CodeFormer's weights cannot be fetched now: using the embedded model lite; %s", get)
        return "lite"
    return "codeformer"


def planned_model(model: str, *, offline: bool = False) -> str:
    """What :func:`choose_model` would say, without the network: for a dry run."""
    if model != "auto":
        return model
    if locate("codeformer"):
        return "codeformer"
    return "lite" if offline or is_offline() else "codeformer, or lite where it cannot be fetched"


def load_restorer(
    model: str, *, weights: Path | None, device: torch.device, precision: str
) -> CodeFormerRestorer:
    """The restorer called ``model``, as :func:`choose_model` returned it, or of the file ``weights``.

    Raises WeightsError.
    """
    source = weights if weights is not None else model
    state, metadata = load_state(source)
    network = build_codeformer(state, metadata, str(source))
    if weights is not None:
        name, licence = weights.name, metadata.get("licence", "that of its author")
    else:
        name, licence = model, REGISTRY[model].licence
    return CodeFormerRestorer(network, name=name, licence=licence, device=device, precision=precision)
