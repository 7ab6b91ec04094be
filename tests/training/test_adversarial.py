"""The adversarial loss: the discriminator learns, the adaptive weight balances, and both can be resumed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidrestore.training.adversarial import Adversary, Bands, adaptive_weight, discriminator


def images(count: int, seed: int, *, sharp: bool) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand((count, 3, 32, 32), generator=generator) * 2 - 1
    return noise if sharp else nn.functional.avg_pool2d(noise, 5, stride=1, padding=2)


def adversary() -> Adversary:
    torch.manual_seed(0)
    return Adversary(channels=8, rate=1e-3, clip=10.0)


def test_every_score_is_of_a_patch() -> None:
    scores = discriminator(8)(torch.zeros(2, 3, 96, 96))
    assert scores.shape == (2, 1, 10, 10)
    patch = torch.zeros(1, 3, 96, 96, requires_grad=True)
    network = discriminator(8).eval()
    for module in network.modules():  # group normalisation uses the whole image
        if isinstance(module, nn.GroupNorm):
            module.forward = lambda x: x
    network(patch)[0, 0, 5, 5].backward()
    rows = patch.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 70 + 2 * 3  # bands reach 3 pixels farther


def test_bands_are_of_detail() -> None:
    flat = torch.full((1, 3, 16, 16), 0.7)
    assert torch.equal(Bands()(flat)[:, :3], flat)
    assert Bands()(flat)[:, 3:].abs().max() < 1e-5
    ramp = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    assert Bands()(ramp)[:, 3:, :, 3:-3].abs().max() < 1e-5  # light that changes slowly is no detail
    stripes = torch.ones(1, 3, 16, 16)
    stripes[..., ::2] = -1
    fine, coarse = Bands()(stripes)[:, 3:, :, 4:-4].abs().mean(dim=(0, 2, 3)).chunk(2)
    assert (fine > 3 * coarse).all()
    assert (coarse > 0.5).all()


def test_the_discriminator_learns_by_the_hinge_loss() -> None:
    found = adversary()
    losses = [
        found.learn(images(4, i, sharp=True), images(4, 100 + i, sharp=False)).item() for i in range(25)
    ]
    assert losses[0] == pytest.approx(1.0, abs=0.3)  # the scores are about 0
    assert losses[-1] < 0.3
    blurred, sharp = (found(images(4, 200, sharp=s)).item() for s in (False, True))
    assert blurred > sharp + 1  # blurred images have the larger loss


def test_muon_trains_the_wide_layers() -> None:
    found = Adversary(channels=32, rate=1e-3, clip=10.0)
    wide = found.optimisers[1].param_groups[0]["params"]
    assert [tuple(weight.shape[:2]) for weight in wide] == [(128, 64), (256, 128)]
    assert sum(len(o.param_groups[0]["params"]) for o in found.optimisers) == len(list(found.parameters()))
    assert {group["lr"] for o in found.optimisers for group in o.param_groups} == {2e-3}


def test_the_generators_loss_does_not_train_the_discriminator() -> None:
    found = adversary()
    fake = images(2, 0, sharp=False).requires_grad_()
    found.learn(images(2, 1, sharp=True), fake)
    assert fake.grad is None
    for parameter in found.network.parameters():
        parameter.grad = None
    found(fake).backward()
    assert fake.grad.abs().max() > 0
    assert all(p.grad is None for p in found.network.parameters())


def test_a_resumed_discriminator_is_the_same() -> None:
    whole, first, second = adversary(), adversary(), adversary()
    batch = images(2, 0, sharp=True), images(2, 1, sharp=False)
    for _ in range(6):
        expected = whole.learn(*batch)
    for _ in range(3):
        first.learn(*batch)
    for parameter in second.parameters():
        nn.init.zeros_(parameter)
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        found = second.learn(*batch)
    assert found == expected
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_the_adaptive_weight_equalises_the_gradients() -> None:
    last = torch.randn(5, requires_grad=True)
    strong, weak = 30 * last.square().sum(), (0.1 * last).sum()
    weight = adaptive_weight(strong, weak, last)
    norms = [torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (strong, weight * weak)]
    assert norms[0].item() == pytest.approx(norms[1].item(), rel=1e-4)
    assert not weight.requires_grad
    assert adaptive_weight(strong, 0 * weak, last) <= 1e4


def test_images_count_by_their_share() -> None:
    found, fake = adversary(), images(2, 0, sharp=False)
    first, second = (found(fake[k : k + 1]).item() for k in range(2))
    assert found(fake, torch.tensor([1.2, 0.2])).item() == pytest.approx((1.2 * first + 0.2 * second) / 2)
    assert found(fake, 0.5).item() == pytest.approx(0.5 * found(fake).item())
