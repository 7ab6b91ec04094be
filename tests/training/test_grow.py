"""A stage keeps what another run of it has learned; so does a network for faces of twice the size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.support.small_networks import HALF, LARGE
from tests.support.small_training import changed, column, needs_weights, write_faces
from vidrestore.errors import UsageError
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.training.grow import grow
from vidrestore.training.trainer import Trainer


def test_common_layers_compute_the_same() -> None:
    torch.manual_seed(0)
    large, small = CodeFormer(LARGE), CodeFormer(HALF)
    torch.nn.init.normal_(small.generator.positions)
    grow(large, small.state_dict())
    codes = torch.randn(1, LARGE.code_channels, 8, 8)
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
        grow(CodeFormer(LARGE), CodeFormer(replace(HALF, channels=32)).state_dict())


def trainer(tmp_path: Path, side: int, run: str, begin: Path | None = None, **settings: int) -> Trainer:
    """A trainer of stage I for faces of 64 pixels, or of 128, which can begin from it."""
    folder = tmp_path / "faces"
    if not folder.exists():
        folder.mkdir()
        write_faces(folder, side=128)
    network = {64: HALF, 128: LARGE}[side]
    stage = {"steps": 3, "part": side, "warmup": 0, "adversarial": 0.0} | settings
    config = changed(stage1=stage) | {"model": {**network.to_dict(), "cft_sizes": [8, 16]}}
    (tmp_path / run).mkdir(exist_ok=True)
    return Trainer(config, "stage1", faces=FaceSet(folder, side), run=tmp_path / run, begin=begin)


@needs_weights
def test_stage1_begins_from_stage1_at_half_the_size(tmp_path: Path) -> None:
    small = trainer(tmp_path, 64, "small")
    assert small.stage.averages.count.sum() == 0
    small.train()
    begin = tmp_path / "small" / "stage1.pt"
    large = trainer(tmp_path, 128, "large", begin)
    assert torch.equal(large.stage.averages.count, small.stage.averages.count)
    assert torch.equal(large.averaged["feat_emb.weight"], small.averaged["feat_emb.weight"])
    large.train()
    assert trainer(tmp_path, 128, "large", begin).step == 3  # resumes from its own checkpoint
    with pytest.raises(UsageError, match=r"stage1 cannot begin from .*no\.pt"):
        trainer(tmp_path, 128, "other", tmp_path / "no.pt")


@needs_weights
def test_stage1_begins_anew_from_stage1_of_the_same_network(tmp_path: Path) -> None:
    first = trainer(tmp_path, 64, "first")
    first.train()
    begin = tmp_path / "first" / "stage1.pt"
    second = trainer(tmp_path, 64, "second", begin)
    assert second.step == 0
    assert torch.equal(second.stage.averages.count, first.stage.averages.count)
    for name in ("quantize.embedding.weight", "encoder.blocks.0.weight", "generator.blocks.0.weight"):
        assert torch.equal(second.model.state_dict()[name], first.averaged[name])
        assert torch.equal(second.averaged[name], first.averaged[name])
    second.train()
    assert not torch.equal(
        second.averaged["quantize.embedding.weight"], first.averaged["quantize.embedding.weight"]
    )
    with pytest.raises(UsageError, match="it has all layers, but outer_steps are for new ones"):
        trainer(tmp_path, 64, "third", begin, outer_steps=1)


@needs_weights
def test_a_checkpoint_to_begin_from_needs_what_stage1_trains(tmp_path: Path) -> None:
    trainer(tmp_path, 64, "first").train()
    state = torch.load(tmp_path / "first" / "stage1.pt", weights_only=True)
    begin = tmp_path / "begin.pt"
    parts = ("encoder.", "generator.", "quantize.")
    state["averaged"] = {k: v.half() for k, v in state["averaged"].items() if k.startswith(parts)}
    torch.save(state, begin)
    second = trainer(tmp_path, 64, "second", begin)
    found = second.model.state_dict()["generator.blocks.0.weight"]
    assert torch.equal(found, state["averaged"]["generator.blocks.0.weight"].float())
    del state["averaged"]["generator.blocks.0.weight"]
    torch.save(state, begin)
    with pytest.raises(
        UsageError, match=r"cannot begin from .*begin\.pt: it lacks generator\.blocks\.0\.weight"
    ):
        trainer(tmp_path, 64, "third", begin)


@needs_weights
def test_stage2_begins_from_stage2_of_another_run_but_keeps_its_own_codes(tmp_path: Path) -> None:
    for run in ("first", "second"):
        trainer(tmp_path, 64, run, None, **({"batch": 1} if run == "second" else {})).train()

    def stage2(run: str, begin: Path | None = None, stage: str = "stage2") -> Trainer:
        config = changed(stage2={"steps": 2}) | {"model": {**HALF.to_dict(), "cft_sizes": [8, 16]}}
        faces = FaceSet(tmp_path / "faces", 64)
        return Trainer(config, stage, faces=faces, run=tmp_path / run, begin=begin)

    first = stage2("first")
    first.train()
    begin = tmp_path / "first" / "stage2.pt"
    own = torch.load(tmp_path / "second" / "stage1.pt", weights_only=True)["averaged"]
    second = stage2("second", begin)
    assert second.step == 0
    found = second.model.state_dict()
    for name in ("encoder.blocks.0.weight", "position_emb", "feat_emb.weight", "ft_layers.0.linear1.weight"):
        assert torch.equal(found[name], first.averaged[name])
        assert torch.equal(second.averaged[name], first.averaged[name])
    for name in ("quantize.embedding.weight", "generator.blocks.0.weight"):
        assert torch.equal(found[name], own[name])
        assert not torch.equal(found[name], first.averaged[name])
    # The codes to predict are those of this run's stage I.
    assert torch.equal(
        second.stage.teacher.state_dict()["encoder.blocks.0.weight"], own["encoder.blocks.0.weight"]
    )
    second.train()
    assert stage2("second", begin).step == 2  # resumes from its own checkpoint
    with pytest.raises(UsageError, match=r"stage3 cannot begin from .*: only stages I and II begin from"):
        stage2("second", begin, "stage3")


@needs_weights
def test_at_first_only_new_layers_learn(tmp_path: Path) -> None:
    trainer(tmp_path, 64, "small").train()
    begin = tmp_path / "small" / "stage1.pt"
    with pytest.raises(UsageError, match="outer_steps are for a network that begins from a smaller one"):
        trainer(tmp_path, 128, "large", outer_steps=30)
    large = trainer(tmp_path, 128, "large", begin, steps=32, outer_steps=30)
    before = {name: value.clone() for name, value in large.model.state_dict().items()}

    def learnt() -> set[str]:
        after = large.model.state_dict()
        return {name.rsplit(".", 1)[0] for name in before if not torch.equal(before[name], after[name])}

    large.train(until=30)
    # In the encoder, what comes before the small network's second block; in the generator, after its last.
    encoder, generator = large.model.encoder, large.model.generator
    last = max(index for index, size in generator.taps.items() if size == 16)
    inner = {f"encoder.blocks.{i}." for i in range(encoder.outer, len(encoder.blocks))}
    inner |= {f"generator.blocks.{i}." for i in range(last + 1)}
    assert not {name for name in learnt() for prefix in inner if f"{name}.".startswith(prefix)}
    assert {"encoder.blocks.0", "encoder.blocks.1.conv2", f"generator.blocks.{last + 1}.conv"} <= learnt()
    imitation = column(tmp_path / "large" / "stage1.csv", "imitation")
    assert imitation[-1] < 1
    large.train()
    assert f"encoder.blocks.{encoder.outer}.conv1" in learnt()
