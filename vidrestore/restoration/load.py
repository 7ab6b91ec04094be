"""Choose the restoration model of a run and load it."""

from __future__ import annotations

import json
import logging
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import UsageError, WeightsError
from ..weights.entry import Weights
from ..weights.packages import PACKAGES, need_package
from ..weights.registry import (
    REGISTRY,
    announcement,
    lookup,
    refuse_non_commercial,
    restorer_names,
    with_hash,
)
from ..weights.store import (
    check_file,
    fetch,
    file_of,
    fingerprint,
    is_offline,
    load_state,
    locate,
    obtain,
)
from .codeformer import CodeFormerRestorer, build_codeformer
from .codeformer.restorer import PAPER_RANGE, is_codeformer
from .restorer import FaceRestorer
from .tasks import find_task

log = logging.getLogger(__name__)

#: Seconds that ``auto`` waits for the server's answer before it falls back to the embedded model.
_TIMEOUT = 4.0
#: The licence of weights that say none.
_UNKNOWN = "that of its author"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that a run uses, by its name in the weights registry."""

    name: str
    missing: bool = False  #: its weights are not in the cache yet: loading it downloads them first
    fallback: str | None = None  #: the model used instead if that download fails; None: the run fails


def resolve_model(
    model: str,
    *,
    task: str = "restore",
    offline: bool = False,
    download: bool = True,
    commercial: bool = False,
) -> ModelChoice:
    """Resolve the option ``--model`` to a model of the weights registry.

    ``auto`` is the published CodeFormer if its weights are in the cache or can be downloaded, else the
    embedded model ``lite``; which and why is logged in one line. For another task it is that task's model.

    Args:
        model: ``auto``, or the name of a restorer in the registry.
        task: The name of what is done to faces, see :mod:`.tasks`.
        offline: Never use the network. The environment variable ``VIDRESTORE_OFFLINE`` does the same.
        download: Download weights that are not in the cache, so that the returned choice is never
            ``missing``. A dry run passes False: the network is not used and nothing is logged.
        commercial: Only models whose licence allows commercial use.

    Raises:
        UsageError: ``commercial``, and the licence of ``model`` does not allow it; or it is not for ``task``.
        WeightsError: A model was requested by name that is not in the cache and cannot be downloaded (with
            ``download`` False: ``offline`` forbids it), or that needs a package that is not installed.
    """
    offline = offline or is_offline()
    if model == "auto":
        model = find_task(task).model or model
    if model != "auto":
        check_model(model, task=task, commercial=commercial)
        return ModelChoice(model, missing=not obtain(model, offline=offline, download=download))
    if commercial and not REGISTRY["codeformer"].commercial:
        if download:
            log.info("using the embedded model lite: CodeFormer's licence does not allow commercial use")
        return ModelChoice("lite")
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


def check_model(model: str, *, task: str = "restore", commercial: bool = False) -> None:
    """Check that a restorer of the registry can be used here.

    Raises UsageError if there is none of this name, it is not for ``task``, or ``commercial`` use is not
    allowed; WeightsError if the package that runs it is not installed.
    """
    weights = lookup(model)
    if weights.network is None:
        raise UsageError(f"{model} restores no faces; choose one of {', '.join(restorer_names(task))}")
    _check_task(weights.network.task, task, model)
    if commercial:
        refuse_non_commercial(weights, restorer_names(task))
    need_package(PACKAGES.get(weights.network.backend), model)


def _check_task(found: str, task: str, model: str) -> None:
    """Raise UsageError if ``model``, whose task is ``found``, is not for ``task``."""
    if found != task:
        names = ", ".join(restorer_names(task))
        raise UsageError(
            f"{model} {find_task(found).does}: use it with --task {found}; for --task {task} there is "
            f"{names}, or your own file with --weights"
        )


def check_restorer_file(path: Path, *, commercial: bool = False) -> None:
    """Check a user's file of weights without reading it as a network; of the licence, whether it is a known
    file. Raises as :func:`check_model`, and WeightsError for a file that does not hold weights."""
    if check_file(path) == "onnx":
        need_package("onnxruntime", path.name)
    if not commercial:
        return
    known = with_hash(fingerprint(path))
    if known is None:
        log.warning("the licence of %s is not known: see whether it allows commercial use", path)
    else:
        refuse_non_commercial(known, restorer_names(known.network.task if known.network else None))


def load_restorer(
    model: str | Path, *, device: torch.device, precision: str, task: str = "restore"
) -> FaceRestorer:
    """Load a restorer.

    Args:
        model: The name of a model whose weights are in the cache, as :func:`resolve_model` returned it; or
            the path of a file of weights, which must be a ``Path``.
        device: Where it runs.
        precision: ``fp32``, ``bf16`` or ``fp16``. One whose results cannot be trusted in it runs in fp32, an
            ONNX file in the precision in which it is stored.
        task: The name of what is done to faces, see :mod:`.tasks`.

    Raises:
        UsageError: It is known to be for another task.
        WeightsError: The weights are missing, damaged, or not those of a restorer, or need a package that is
            not installed.
    """
    path = file_of(model)
    known = REGISTRY[model] if isinstance(model, str) and model in REGISTRY else None
    name = known.name if known else path.name
    if known and known.network:
        _check_task(known.network.task, task, name)
    if check_file(path) == "onnx":
        _check_task("restore", task, name)
        need_package("onnxruntime", name)
        from .networks.onnx_network import OnnxRestorer

        known = known or with_hash(fingerprint(path))
        return OnnxRestorer(
            path,
            name=name,
            licence=known.licence if known else _UNKNOWN,
            readable=_range(path, known, {}, "readable") or PAPER_RANGE,
            network=known.network if known else None,
            device=device,
        )
    state, metadata = load_state(model)
    licence = known.licence if known else metadata.get("licence")
    if is_codeformer(state, metadata):
        same = known or (with_hash(fingerprint(path)) if not metadata else None)
        if found := same.network.task if same and same.network else metadata.get("task"):
            _check_task(found, task, name)
        return CodeFormerRestorer(
            build_codeformer(state, metadata, str(model)),
            name=name,
            licence=licence or _UNKNOWN,
            readable=_range(path, known, metadata, "readable") or PAPER_RANGE,
            codes_hold=_range(path, known, metadata, "codes_hold"),
            adain=find_task(task).adain,
            device=device,
            precision=precision,
        )
    _check_task("restore", task, name)
    need_package("spandrel", name)
    from .networks.spandrel_network import SpandrelRestorer, build_network

    known = known or with_hash(fingerprint(path))
    return SpandrelRestorer(
        build_network(state, str(model)),
        name=name,
        licence=licence or (known.licence if known else _UNKNOWN),
        readable=_range(path, known, metadata, "readable") or PAPER_RANGE,
        device=device,
        precision=precision,
    )


def _range(
    path: Path, known: Weights | None, metadata: Mapping[str, str], name: str
) -> tuple[float, float] | None:
    """The range of sharpness ``name`` that a model declares: in its file, else in the registry."""
    if name not in metadata:
        return getattr(known.network, name) if known and known.network else None
    try:
        bounds = json.loads(metadata[name])
    except (ValueError, RecursionError):
        bounds = []
    two = isinstance(bounds, list) and len(bounds) == 2 and {*map(type, bounds)} <= {int, float}
    if not two or not 0 <= bounds[0] < bounds[1] <= 1:
        found = reprlib.repr(metadata[name])
        raise WeightsError(f"{path} declares {name}={found}; it must be two rising numbers in [0, 1]")
    return float(bounds[0]), float(bounds[1])
