"""New networks without random weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from vidrestore.runtime.uninitialised import Uninitialised

ROOT = Path(__file__).parents[2]


def build() -> nn.Module:
    layers = [nn.Conv2d(3, 4, 3), nn.Linear(4, 4), nn.Embedding(4, 4), nn.MultiheadAttention(4, 1)]
    for weight in (layers[0].weight, layers[1].weight):
        nn.init.kaiming_normal_(weight)
        nn.init.trunc_normal_(weight)
        nn.init.xavier_normal_(weight)
    return nn.ModuleList(layers)


def test_no_random_number_is_drawn():
    before = torch.get_rng_state()
    with Uninitialised():
        network = build()
    assert torch.equal(torch.get_rng_state(), before)
    network.load_state_dict(build().state_dict())
    assert not torch.equal(torch.get_rng_state(), before)


def test_what_is_not_random_is_as_ever():
    with Uninitialised():
        norm = nn.BatchNorm2d(2)
        assert torch.rand(8).unique().numel() == 8
    assert norm.weight.tolist() == [1, 1]
    assert norm.running_var.tolist() == [1, 1]


def test_loading_a_model_does_not_import_the_compiler():
    code = (
        "import sys, torch; from vidrestore.restoration.load import load_restorer;"
        "load_restorer('lite', device=torch.device('cpu'), precision='fp32');"
        "sys.exit('torch._dynamo' in sys.modules or 'sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
