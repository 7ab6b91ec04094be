"""Which optimiser trains which parameters."""

from __future__ import annotations

from dataclasses import replace

from tests.support.small_networks import FACE
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.training.muon import Muon
from vidrestore.training.optimisers import create_optimisers, inner_matrices

NETWORK = CodeFormer(replace(FACE, channels=64, generator_widths=()))


def test_inner_matrices() -> None:
    inner = inner_matrices(NETWORK)
    names = {name for name, parameter in NETWORK.named_parameters() if parameter in inner}
    assert "generator.blocks.1.conv1.weight" in names
    assert all(name.endswith("weight") for name in names)
    assert not names & {"encoder.blocks.0.weight", "position_emb", "quantize.embedding.weight"}
    assert not any("norm" in name or name.startswith(("idx_pred", "generator.positions")) for name in names)


def test_each_parameter_has_one_optimiser_and_keeps_its_group() -> None:
    groups = [{"params": list(NETWORK.parameters()), "scale": 0.5}]
    plain, muon = create_optimisers(NETWORK, groups, name="muon", rate=1e-3)
    assert isinstance(muon, Muon)
    created = [group for optimiser in (plain, muon) for group in optimiser.param_groups]
    assert sum(len(group["params"]) for group in created) == len(groups[0]["params"])
    assert {(group["scale"], group["lr"]) for group in created} == {(0.5, 1e-3)}
    assert len(create_optimisers(NETWORK, groups, name="adamw", rate=1e-3)) == 1
