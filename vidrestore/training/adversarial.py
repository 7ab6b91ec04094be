"""The adversarial loss: a patch discriminator, and the adaptive weight of its loss.

A discriminator that learns slower than the generator changes leaves it without any use: with Adam and images
alone, the hinge loss was at 0.95 of 1 after 160 steps of six crops of this package's `face`, whose errors
were easy to see; with Muon and bands it was at 0.25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .distributed import average_gradients, mean
from .optimisers import create_optimisers

#: Groups of group normalisation. Batch normalisation does not fit, because a batch is split over processes
#: and may have one face.
_GROUPS = 8
#: Maximum of the adaptive weight, reached if the gradient of the adversarial loss is almost zero.
_MAX_WEIGHT = 1e4
#: The discriminator's learning rate in terms of the generator's, as it has to follow it (Heusel et al., "GANs
#: trained by a two time-scale update rule", 2017).
_PACE = 2.0
#: Sides of the averages between which the bands lie, and by how much bands are amplified.
_FINE, _COARSE, _GAIN = 3, 5, 8.0


class Bands(nn.Module):
    """Adds two bands of detail to images (N, 3, S, S), amplified: (N, 9, S, S). Without them a discriminator
    has to find out first that light and colour say little about what is generated."""

    def forward(self, x: Tensor) -> Tensor:
        fine, coarse = _blurred(x, _FINE), _blurred(_blurred(x, _FINE), _COARSE)
        return torch.cat((x, _GAIN * (x - fine), _GAIN * (fine - coarse)), dim=1)


def _blurred(x: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)


def discriminator(channels: int) -> nn.Sequential:
    """Build a PatchGAN (Isola et al., 2017, section 3.2.2), which sees the images and their :class:`Bands`.

    It maps images (N, 3, S, S) in [-1, 1] to scores (N, 1, S / 8 - 2, S / 8 - 2), each of a patch of 70 x 70
    pixels and a margin of 3. The number of ``channels``, a multiple of 8, doubles with each layer.
    """
    layers: list[nn.Module] = [Bands(), nn.Conv2d(9, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for stride in (2, 2, 1):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, stride=stride, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, 2 * channels),
            nn.LeakyReLU(0.2),
        ]
        channels *= 2
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=1))


class Adversary(nn.Module):
    """A discriminator trained with the hinge loss, and its optimisers. The state dict contains both.

    ``rate`` is the generator's learning rate, and ``clip`` the maximum norm of the discriminator's gradient.
    """

    def __init__(self, *, channels: int, rate: float, clip: float) -> None:
        super().__init__()
        self.network = discriminator(channels).to(memory_format=torch.channels_last)
        groups = [{"params": list(self.network.parameters()), "scale": _PACE}]
        self.optimisers = create_optimisers(self.network, groups, name="muon", rate=_PACE * rate)
        self.clip = clip

    def learn(self, real: Tensor, fake: Tensor) -> Tensor:
        """Train for one step on images ``real`` and ``fake``, (N, 3, S, S) each; return the loss."""
        self.network.requires_grad_(True)
        scores = self.network(torch.cat((real, fake.detach()))).float()
        on_real, on_fake = scores.chunk(2)
        loss = (F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()) / 2
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(self.network.parameters())
        average_gradients(parameters)
        if torch.isfinite(nn.utils.clip_grad_norm_(parameters, self.clip)):
            for optimiser in self.optimisers:
                optimiser.step()
        self.network.requires_grad_(False)  # its gradient is not needed for the generator's loss
        return loss.detach()

    def forward(self, fake: Tensor, share: Tensor | float = 1.0) -> Tensor:
        """Return the generator's loss for ``fake`` (N, 3, S, S), which count by their ``share``, (N,) or a
        number: a scalar."""
        return -(share * self.network(fake).float().mean(dim=(1, 2, 3))).mean()

    @classmethod
    def wanted(cls, settings: Mapping[str, Any]) -> Adversary | None:
        """Create the adversary of a stage's ``settings``; None if ``adversarial`` is 0."""
        if not settings["adversarial"]:
            return None
        return cls(channels=settings["discriminator_channels"], rate=settings["rate"], clip=settings["clip"])

    def join(
        self,
        total: Tensor,
        real: Tensor,
        fake: Tensor,
        *,
        last: Tensor,
        weight: float,
        share: Tensor | float = 1.0,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Train the discriminator for one step, and add the generator's loss, with ``share``, to ``total``.

        The added loss is scaled by ``weight`` and by the adaptive weight, which is computed from the
        gradients at ``last``, the weights of the last layer. Return the sum, and figures for the log.
        """
        discriminator = self.learn(real, fake)
        adversarial = self(fake, share)
        adaptive = adaptive_weight(total, adversarial, last)
        figures = {"discriminator": discriminator, "adversarial": adversarial.detach(), "adaptive": adaptive}
        return total + weight * adaptive * adversarial, figures

    def take_part(
        self,
        total: Tensor,
        real: Tensor,
        fake: Tensor,
        *,
        step: int,
        settings: Mapping[str, Any],
        last: Tensor,
        share: Tensor | float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Do as :meth:`join` says, with the weight of a stage's ``settings``. In the first steps from
        ``adversarial_start`` on, as many as ``adversarial_alone`` says, the discriminator learns alone."""
        if step < settings["adversarial_start"] + settings["adversarial_alone"]:
            return total, {"discriminator": self.learn(real, fake)}
        return self.join(total, real, fake, last=last, weight=settings["adversarial"], share=share)

    def get_extra_state(self) -> list[dict[str, Any]]:
        return [optimiser.state_dict() for optimiser in self.optimisers]

    def set_extra_state(self, state: list[dict[str, Any]]) -> None:
        for optimiser, saved in zip(self.optimisers, state, strict=True):
            optimiser.load_state_dict(saved)


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """Return the factor by which the gradient of the adversarial loss at ``last``, the weights of the last
    layer, gets the norm of the reconstruction loss's gradient (Esser et al., 2021, equation 7)."""
    reconstruction_norm, adversarial_norm = (
        mean(torch.autograd.grad(loss, last, retain_graph=True)[0].float()).norm()
        for loss in (reconstruction, adversarial)
    )
    return (reconstruction_norm / (adversarial_norm + 1e-6)).clamp(max=_MAX_WEIGHT)
