"""A network for faces of twice the size keeps what the small one has learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.support.small_networks import FACE
from tests.support.small_training import changed, needs_weights, write_faces
from vidrestore.errors import UsageError
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.training.grow import grow
from vidrestore.training.trainer import Trainer

LARGE = replace(FACE, image_size=128, multipliers=(1, 2, 3), residual_blocks=(2, 1, 1))
SMALL = replace(FACE, multipliers=(2, 3), residual_blocks=(1, 1))


def test_common_layers_compute_the_same() -> None:
    torch.manual_seed(0)
    large, small = CodeFormer(LARGE), CodeFormer(SMALL)
    torch.nn.init.normal_(small.generator.positions)
    grow(large, small.state_dict())
    codes = torch.randn(1, FACE.code_channels, 8, 8)
    with torch.no_grad():
        found, expected = (network.generator(codes, {}, until=16) for network in (large, small))
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
        # The encoder from the finest level of the small network on.
        x = torch.randn(1, small.encoder.blocks[1].conv1.in_channels, 16, 16)
        features = []
        for network, first in ((large, 4), (small, 1)):
            h = x
            for block in network.encoder.blocks[first:]:
                h = block(h)
            features.append(h)
        torch.testing.assert_close(*features, rtol=0, atol=0)
        torch.testing.assert_close(large.predict(codes), small.predict(codes), rtol=0, atol=0)


def test_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have the same shape in both"):
        grow(CodeFormer(LARGE), CodeFormer(replace(SMALL, channels=32)).state_dict())


@needs_weights
def test_stage1_begins_from_stage1_at_half_the_size(tmp_path: Path) -> None:
    folder = write_faces(tmp_path, side=128)

    def trainer(side: int, run: str, begin: Path | None = None) -> Trainer:
        network = {64: SMALL, 128: LARGE}[side]
        settings = {"steps": 3, "part": side, "warmup": 0, "adversarial": 0.0}
        config = changed(stage1=settings) | {"model": {**network.to_dict(), "cft_sizes": [8, 16]}}
        (tmp_path / run).mkdir(exist_ok=True)
        return Trainer(config, "stage1", faces=FaceSet(folder, side), run=tmp_path / run, begin=begin)

    small = trainer(64, "small")
    assert small.stage.averages.count.sum() == 0
    small.train()
    begin = tmp_path / "small" / "stage1.pt"
    large = trainer(128, "large", begin)
    assert torch.equal(large.stage.averages.count, small.stage.averages.count)
    assert torch.equal(large.averaged["feat_emb.weight"], small.averaged["feat_emb.weight"])
    large.train()
    assert trainer(128, "large", begin).step == 3  # resumes from its own checkpoint
    with pytest.raises(UsageError, match=r"stage1 cannot begin from .*no\.pt"):
        trainer(128, "other", tmp_path / "no.pt")
