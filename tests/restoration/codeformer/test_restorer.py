"""Lower precision, batches and skipped work must not show in the result."""

from __future__ import annotations

from functools import cache, partial
from types import MethodType

import pytest
import torch
from torch import Tensor

from tests.support.portraits import aligned_portraits
from tests.support.small_networks import AT_IMAGE, SMALL
from tests.support.stand_in import shapes, stand_in
from vidrestore.degradation.degrade import LEVELS, degrade
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerRestorer, build_codeformer
from vidrestore.restoration.codeformer.frozen import freeze
from vidrestore.restoration.load import load_restorer
from vidrestore.runtime.batching import run_batched
from vidrestore.runtime.cuda_graphs import AcceleratedStep

CPU = torch.device("cpu")


@cache
def real_faces() -> Tensor:
    """(8, 3, 512, 512): two portraits, clean and degraded in three strengths."""
    faces = []
    for picture in aligned_portraits().values():
        clean = torch.from_numpy(picture).permute(2, 0, 1)
        faces += [clean, *(degrade(clean, level) for level in LEVELS.values())]
    return torch.stack(faces) / 255


def codes(restorer: CodeFormerRestorer, faces: Tensor) -> Tensor:
    return torch.stack([seen.log_probs.argmax(dim=-1) for seen in restorer.observe(faces)])


def decibels(found: Tensor, expected: Tensor) -> float:
    """PSNR of values in [0, 1]."""
    return -10 * (found.cpu() - expected).square().mean().log10().item()


@pytest.mark.parametrize(
    ("device", "precision"),
    [("cpu", "bf16"), *(pytest.param("cuda", p, marks=pytest.mark.gpu) for p in ("fp32", "bf16", "fp16"))],
)
def test_lite_is_the_same_in_lower_precision(device, precision):
    faces, w = real_faces(), torch.tensor([0.0, 0.25, 0.5, 1.0] * 2)
    exact = load_restorer("lite", weights=None, device=CPU, precision="fp32")
    lower = load_restorer("lite", weights=None, device=torch.device(device), precision=precision)
    share = (codes(lower, faces).cpu() == codes(exact, faces)).float().mean()
    found = decibels(lower(faces, w), exact(faces, w))
    print(f"{share:.4f} of the codes, {found:.1f} dB")
    assert share >= 0.99
    assert found >= 45


@pytest.mark.slow
@torch.no_grad()
def test_the_published_shape_is_the_same_in_bf16():
    """With stand-in weights: their logits are nearly tied and their results reach 17, so that one code in
    forty may be another one, and decibels are of the results' own range."""
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
        assert decibels((found - low) / (high - low), (theirs - low) / (high - low)) >= 45


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_batches_do_not_show(precision):
    faces, w = real_faces()[2:7], torch.tensor([0.0, 0.25, 0.5, 0.5, 1.0])
    restorer = load_restorer("lite", weights=None, device=CPU, precision=precision)
    together = restorer(faces, w)
    for size in (1, 3):
        parts = zip(faces.split(size), w.split(size), strict=True)
        apart = torch.cat([restorer(some, its) for some, its in parts])
        assert (apart - together).abs().max() < 1 / 255


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["CFT at levels", "CFT at the image"])
def test_a_batch_of_faces_with_and_without_w(config):
    torch.manual_seed(0)
    network = CodeFormer(config).eval()
    with torch.no_grad():
        for fuse in network.fuse_convs_dict.values():
            fuse.scale[2].weight.normal_(std=0.05)
    faces, w = torch.rand(4, 3, 64, 64), torch.tensor([0.0, 0.7, 0.0, 0.2])
    with torch.no_grad():
        expected = ((network(faces * 2 - 1, w) + 1) / 2).clamp(0, 1)
    restorer = CodeFormerRestorer(network, name="small", licence="none")
    assert len({float(face.std()) for face in expected}) == 4
    torch.testing.assert_close(restorer(faces, w), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["CFT at levels", "CFT at the image"])
def test_steps_compile_in_one_piece(config, caplog):
    """Which a recording needs too: nothing in them waits for a number from the device."""
    torch.manual_seed(0)
    restorer = CodeFormerRestorer(CodeFormer(config), name="small", licence="none", precision="bf16")
    faces, w = torch.rand(4, 3, 64, 64), torch.tensor([0.0, 0.7, 0.1, 0.2])
    expected = restorer(faces, w)
    compiler = partial(torch.compile, backend="aot_eager", fullgraph=True)
    steps = ("_see", "_show", "_show_codes")
    accelerated = {}
    for name in steps:
        step = MethodType(getattr(CodeFormerRestorer, name), restorer)  # as it is on a GPU
        accelerated[name] = AcceleratedStep(step, recorder=None, compiler=compiler, compile_after=0)
        setattr(restorer, name, run_batched(accelerated[name]))
    torch.testing.assert_close(restorer(faces, w), expected, atol=0.02, rtol=0)
    assert "going on without" not in caplog.text
    used = [name for name in steps if accelerated[name]._rows]
    assert used == (list(steps) if config is SMALL else ["_see", "_show"])
