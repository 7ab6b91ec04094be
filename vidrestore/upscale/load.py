"""Load the upscaler of a run."""

from __future__ import annotations

import logging

import torch

from ..weights.store import load_state
from .choose import LANCZOS, UpscalerSetup
from .flicker import steady_share
from .lanczos import Lanczos
from .learned import Learned
from .network import EnlargingNetwork, build_enlarger
from .resample import resample
from .upscaler import Upscaler

log = logging.getLogger(__name__)


def load_upscaler(setup: UpscalerSetup, device: torch.device) -> Upscaler:
    """Load the upscaler that was decided on, onto ``device``.

    What a network adds to a video is limited to what does not flicker, see :mod:`.flicker`; that is measured
    on the CPU, so that it is the same on any device. Raises WeightsError for a file that does not hold a
    network that enlarges pictures.
    """
    if setup.name == LANCZOS:
        return Lanczos(setup.factor)
    states = [load_state(source)[0] for source in setup.sources]
    network = build_enlarger(states, setup.denoise, str(setup.weights or setup.name))
    enlarging, factor, share = EnlargingNetwork(network), setup.factor, 1.0
    if setup.steady:
        share = steady_share(
            lambda picture: resample(enlarging.whole(picture), factor, enlarging.factor),
            lambda picture: resample(picture, factor),
        )
    log.info(
        "%s enlarges %d times; %.0f %% of its detail is shown%s",
        setup.name,
        enlarging.factor,
        100 * share,
        ", so that noise does not flicker" if share < 1 else "",
    )
    return Learned(factor, setup.name, enlarging.to(device), share, setup.faces)
