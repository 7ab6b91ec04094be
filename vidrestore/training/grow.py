"""A stage begins from what another run of it has learned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..errors import UsageError
from ..restoration.codeformer import CodeFormer
from .checkpoint import entries_below, has_sizes, load_checkpoint
from .stage import Stage
from .stage1 import Stage1
from .stage2 import Stage2

#: The parts of a network that stage I and stage II train.
_DRAWING = ("encoder.", "generator.", "quantize.")
_PREDICTING = ("encoder.", "position_emb", "feat_emb.", "ft_layers.", "idx_pred_layer.")


def begin_from(path: Path, model: CodeFormer, stage: Stage) -> None:
    """Begin ``stage``, which is stage I or II, at step 0 from a checkpoint ``path`` of another run: load the
    averaged weights of what it trains into ``model``.

    Raises UsageError if the file cannot be read, the networks do not fit together, or it is another stage.
    """
    try:
        if isinstance(stage, Stage1):
            _begin_drawing(path, model, stage)
        elif isinstance(stage, Stage2):
            _begin_predicting(path, model)
        else:
            raise ValueError("only stages I and II begin from a checkpoint of another run")
    except (ValueError, KeyError, RuntimeError, UsageError) as error:
        raise UsageError(f"{stage.name} cannot begin from {path}: {error}") from None


def _begin_drawing(path: Path, model: CodeFormer, stage: Stage1) -> None:
    """Load what stage I trains, and the moving averages of its codebook into ``stage``.

    The checkpoint may be one of the same network, or of one for faces of half the size, as :func:`grow`
    says, whose first layer is loaded too if the new layers learn from it.

    """
    state = load_checkpoint(path)
    averages = entries_below(state["stage"], "averages.")
    if has_sizes(state, model.config):
        if stage.outer is not None:
            raise ValueError("it has all layers, but outer_steps are for new ones; set outer_steps to 0")
        load_parts(model, state["averaged"], _DRAWING)
        stage.averages.load_state_dict(averages)
        return
    if state.get("sizes", {}).get("smooth_upsampling"):
        raise ValueError("its upsampling is smooth, which only that of the finest level may be")
    grow(model, state["averaged"])
    stage.averages.load_state_dict(averages)
    if stage.outer is not None:
        stage.outer.first.load_state_dict(entries_below(state["averaged"], "encoder.blocks.0."))


def _begin_predicting(path: Path, model: CodeFormer) -> None:
    """Load what stage II trains. Codebook and generator stay those of this run's stage I: if that began from
    the other run's, most codes still mean what they meant there."""
    state = load_checkpoint(path)
    if not has_sizes(state, model.config):
        raise ValueError("it is of a network of other sizes")
    load_parts(model, state["averaged"], _PREDICTING)


def load_parts(model: CodeFormer, state: Mapping[str, Tensor], prefixes: tuple[str, ...]) -> None:
    """Load into ``model`` the weights whose names begin with ``prefixes``, from the ``state`` of the same
    network; a file for others to begin from need not have the rest. Raises ValueError if one is missing."""
    wanted = {name for name in model.state_dict() if name.startswith(prefixes)}
    if lacking := sorted(wanted - set(state)):
        raise ValueError(f"it lacks {lacking[0]}")
    model.load_state_dict({name: state[name] for name in wanted}, strict=False)


def grow(model: CodeFormer, small: Mapping[str, Tensor]) -> None:
    """Load into ``model`` what it has in common with a network whose weights are ``small``: one of the same
    sizes without the finest level, for faces of half the size.

    Both have the same code grid. The levels from the code grid to the finest of the small network are loaded;
    the layers between that level and the image keep their initial weights, as in progressive growing (Karras
    et al., ICLR 2018). Smooth upsampling is for the large one alone: in the small one it would lead to a
    level that is no longer the finest. Raises ValueError if the networks do not fit together.
    """
    state = model.state_dict()
    # The encoder of the small network begins this many blocks later.
    shift = len(model.encoder.blocks) - _block_count(small, "encoder")
    # A norm and the image head end its generator.
    end = _block_count(small, "generator") - 2
    loaded = {}
    for name, value in small.items():
        part, *rest = name.split(".")
        if rest[:1] == ["blocks"]:
            index = int(rest[1])
            if (index == 0) if part == "encoder" else (index >= end):
                continue
            rest[1] = str(index + shift if part == "encoder" else index)
        name = ".".join((part, *rest))
        if part in ("fuse_convs_dict", "correction"):  # trained in stage III
            continue
        if name not in state or state[name].shape != value.shape:
            raise ValueError(f"{name} does not have the same shape in both networks")
        loaded[name] = value
    model.load_state_dict(loaded, strict=False)


def _block_count(state: Mapping[str, Tensor], part: str) -> int:
    """The number of blocks of a network's encoder or generator."""
    return 1 + max(int(name.split(".")[2]) for name in state if name.startswith(f"{part}.blocks."))
