"""Which network has these weights: spandrel (the extra ``restorers``) recognises it by its tensors.

spandrel is given tensors that were read without executing code from the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import WeightsError

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor


def recognise(
    state: Mapping[str, Tensor], source: str, *, wanted: str, hints: Mapping[str, str] | None = None
) -> ImageModelDescriptor[Any]:
    """Build the network whose weights are ``state``, in float32.

    Args:
        state: Tensors by their names.
        source: Where they are from, for messages.
        wanted: What to give instead of weights that are not known.
        hints: What else to say of weights that look like those of an architecture, by its name, but are not.

    Raises:
        WeightsError: spandrel does not know the network, it does not make a picture of a picture, or its
            tensors have other names or sizes.
    """
    from spandrel import MAIN_REGISTRY, ImageModelDescriptor

    weights = {key: x.float() if x.is_floating_point() else x for key, x in state.items()}
    found = next((s for s in MAIN_REGISTRY.architectures("detection") if s.detect(weights)), None)
    if found is None:
        raise WeightsError(f"{source} holds the weights of no network that is known here; give {wanted}")
    kind = found.architecture.name
    try:
        # Networks are initialised at random; the caller's random numbers stay the same.
        with torch.random.fork_rng(devices=()):
            network = found.architecture.load(weights)
    except Exception as error:  # whatever the architecture's code stumbles over
        raise WeightsError(
            f"{source} looks like {kind}, but its tensors have other names or sizes"
            + (hints or {}).get(kind, "")
        ) from error
    if not isinstance(network, ImageModelDescriptor):
        raise WeightsError(f"{source} is {kind}, which needs a mask besides the picture; give {wanted}")
    return network
