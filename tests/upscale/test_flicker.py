"""How much of a network's detail is shown in a video: as much as does not flicker."""

from __future__ import annotations

import pytest
import torch

from tests.support import upscalers
from vidrestore.upscale.flicker import steady_share
from vidrestore.upscale.resample import resample


def resampled(picture):
    return resample(picture, 2)


def test_what_a_resampler_does_not_amplify_is_shown_whole():
    assert steady_share(resampled, resampled) == 1.0
    assert steady_share(lambda x: 0.5 + 0.5 * (resampled(x) - 0.5), resampled) == 1.0


@pytest.mark.parametrize("strength", [1.0, 3.0])
def test_what_is_amplified_is_shown_as_far_as_it_does_not_flicker(strength):
    """Of another picture and other noise."""
    network = upscalers.enlarging(upscalers.sharpening(strength=strength))
    share = steady_share(network.whole, resampled)
    assert 0 < share < 0.9
    still = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(3))
    still = 0.2 + 0.6 * resample(still, 4)
    generator = torch.Generator().manual_seed(4)
    # Alike in all channels, as most noise of videos is.
    noisy = [still + 5 / 255 * torch.randn(1, 48, 48, generator=generator) for _ in range(8)]
    base = torch.stack([resampled(frame) for frame in noisy])
    learned = torch.stack([network.whole(frame) for frame in noisy])
    flicker = [float(x.std(dim=0).mean()) for x in (base, base.lerp(learned, share), learned)]
    assert flicker[1] < 1.2 * flicker[0]
    assert flicker[1] > 1.05 * flicker[0]  # no less is shown than may be
    assert flicker[2] > 1.4 * flicker[0]


def test_noise_of_luma_counts_if_a_network_removes_that_of_colours_only():
    def grey_is_sharpened(x):
        grey = resampled(x.mean(dim=0, keepdim=True))
        return (grey + 0.5 * (grey - 0.5)).expand(3, -1, -1)

    assert steady_share(grey_is_sharpened, resampled) < 0.5


def test_nothing_is_shown_of_what_is_mostly_noise():
    assert steady_share(lambda x: resampled(x) + 100 * (resampled(x) - 0.5), resampled) == 0.0
