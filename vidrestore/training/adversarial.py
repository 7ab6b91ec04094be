"""The adversarial loss: a discriminator of patches, and how much it counts against the other losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .distributed import average_gradients, mean

#: Groups of a norm. Not batch normalisation: a batch is split over processes, and may be of one face.
_GROUPS = 8
#: Upper end of the adaptive weight, reached where the adversarial loss has next to no gradient.
_LARGEST = 1e4


def discriminator(channels: int) -> nn.Sequential:
    """A PatchGAN (Isola et al., 2017, section 3.2.2): (N, 3, S, S) in [-1, 1] -> (N, 1, S / 8 - 2, S / 8 - 2)
    scores, each of 70 x 70 pixels. ``channels``, a multiple of 8, double from layer to layer."""
    layers: list[nn.Module] = [nn.Conv2d(3, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for stride in (2, 2, 1):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, stride=stride, padding=1, bias=False),
            nn.GroupNorm(_GROUPS, 2 * channels),
            nn.LeakyReLU(0.2),
        ]
        channels *= 2
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=1))


class Adversary(nn.Module):
    """A discriminator that learns by the hinge loss, with its own optimiser; the state holds both.

    ``clip`` is the largest norm of its gradient.
    """

    def __init__(self, *, channels: int, rate: float, clip: float) -> None:
        super().__init__()
        self.network = discriminator(channels).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=rate, betas=(0.5, 0.9))
        self.clip = clip

    def learn(self, real: Tensor, fake: Tensor) -> Tensor:
        """One step towards telling ``real`` from ``fake``, both (N, 3, S, S); return the loss."""
        self.network.requires_grad_(True)
        scores = self.network(torch.cat((real, fake.detach()))).float()
        on_real, on_fake = scores.chunk(2)
        loss = (F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()) / 2
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(self.network.parameters())
        average_gradients(parameters)
        if torch.isfinite(nn.utils.clip_grad_norm_(parameters, self.clip)):
            self.optimiser.step()
        self.network.requires_grad_(False)  # what follows is the generator's loss
        return loss.detach()

    def forward(self, fake: Tensor) -> Tensor:
        """The loss of whoever made ``fake`` (N, 3, S, S): a number."""
        return -self.network(fake).float().mean()

    @classmethod
    def wanted(cls, settings: Mapping[str, Any]) -> Adversary | None:
        """That of a stage's ``settings``; None where ``adversarial`` is 0."""
        if not settings["adversarial"]:
            return None
        return cls(channels=settings["discriminator_channels"], rate=settings["rate"], clip=settings["clip"])

    def join(
        self, total: Tensor, real: Tensor, fake: Tensor, *, last: Tensor, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Learn from both, and add the loss of ``fake`` to ``total``, ``weight`` times the adaptive weight at
        the ``last`` layer's weights; return the sum, and figures for the log."""
        discriminator = self.learn(real, fake)
        adversarial = self(fake)
        adaptive = adaptive_weight(total, adversarial, last)
        figures = {"discriminator": discriminator, "adversarial": adversarial.detach(), "adaptive": adaptive}
        return total + weight * adaptive * adversarial, figures

    def get_extra_state(self) -> dict[str, Any]:
        return self.optimiser.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.optimiser.load_state_dict(state)


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """The factor that makes the adversarial loss pull at the ``last`` layer's weights as hard as the
    reconstruction loss does (Esser et al., 2021, equation 7)."""
    pull, push = (
        mean(torch.autograd.grad(loss, last, retain_graph=True)[0].float()).norm()
        for loss in (reconstruction, adversarial)
    )
    return (pull / (push + 1e-6)).clamp(max=_LARGEST)
