"""Networks that are loaded once."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.support import tiny, upscalers
from vidrestore.runtime.profile import Profile
from vidrestore.stages.networks import Networks
from vidrestore.stages.setup import RestorerSetup
from vidrestore.upscale.choose import UpscalerSetup

CPU = torch.device("cpu")


def test_each_network_is_loaded_once(tmp_path):
    networks = Networks()
    setup = RestorerSetup.resolve(
        weights=tiny.save_weights(tmp_path / "tiny.safetensors"), device="cpu", precision="fp32"
    )
    first, second = networks.models(setup, Profile(CPU)), networks.models(setup, later := Profile(CPU))
    assert first is not second
    assert first.restorer is second.restorer
    assert second.profile is later is not first.profile
    assert networks.detector("retinaface_mobile0.25", CPU) is networks.detector("retinaface_mobile0.25", CPU)


def test_an_upscaler_is_loaded_once(tmp_path):
    path = upscalers.save(upscalers.compact(), tmp_path / "own.pth")
    networks, setup = Networks(), UpscalerSetup(factor=2, name="own.pth", weights=path, steady=False)
    first = networks.upscaler(setup, CPU)
    assert first is not None
    assert networks.upscaler(replace(setup), CPU) is first
    assert networks.upscaler(replace(setup, factor=3), CPU) is not first
    assert networks.upscaler(None, CPU) is None
