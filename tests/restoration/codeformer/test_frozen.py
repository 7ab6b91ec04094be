"""A network prepared for inference gives the same faces."""

from __future__ import annotations

import pytest
import torch

from tests.support.degraded_faces import psnr, real_faces
from tests.support.small_networks import AT_IMAGE, FACE, SMALL
from tests.support.stand_in import shapes, stand_in
from vidrestore.restoration.codeformer import CodeFormer, build_codeformer
from vidrestore.restoration.codeformer.frozen import freeze

CPU = torch.device("cpu")


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE, FACE], ids=["CFT at levels", "CFT at the image", "face"])
@torch.no_grad()
def test_in_float32_the_network_computes_the_same(config):
    torch.manual_seed(0)
    network, faces = CodeFormer(config).eval(), torch.rand(2, 3, 64, 64) * 2 - 1
    expected = network(faces, 0.7)
    frozen = freeze(network, CPU, torch.float32)
    torch.testing.assert_close(frozen(faces, 0.7), expected, atol=1e-4, rtol=0)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE, FACE], ids=["CFT at levels", "CFT at the image", "face"])
@torch.no_grad()
def test_what_decides_between_codes_stays_in_float32(config):
    network = freeze(CodeFormer(config), CPU, torch.bfloat16)
    encoding = network.encode(torch.rand(1, 3, 64, 64) * 2 - 1)
    assert encoding.features.dtype == network.predict(encoding.features).dtype == torch.float32
    assert network.encoder.blocks[0][0].weight.dtype == torch.float32
    assert network.generator.blocks[1].conv1.weight.dtype == torch.bfloat16


@pytest.mark.slow
@torch.no_grad()
def test_the_published_shape_is_the_same_in_bf16():
    """With stand-in weights, whose logits are nearly tied and whose outputs reach 17: so one code in forty
    may differ, and PSNR is relative to the range of the outputs."""
    faces, state = real_faces()[::4] * 2 - 1, {key: stand_in(key, shape) for key, shape in shapes().items()}
    exact = build_codeformer(state, {}, "stand-in").eval()
    encoding = exact.encode(faces)
    chosen = exact.predict(encoding.features).argmax(dim=-1)
    expected = [exact.decode(chosen, encoding, w) for w in (0.0, 0.5)]
    lower = freeze(exact, CPU, torch.bfloat16)
    encoding = lower.encode(faces)
    share = (lower.predict(encoding.features).argmax(dim=-1) == chosen).float().mean()
    print(f"{share:.4f} of the codes")
    assert share >= 0.97
    for w, theirs in zip((0.0, 0.5), expected, strict=True):
        low, high = theirs.aminmax()
        found = lower.decode(chosen, encoding, w).float()
        assert psnr((found - low) / (high - low), (theirs - low) / (high - low)) >= 45
