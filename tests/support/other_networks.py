"""Restorers of other architectures with random weights, as small as their classes allow."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn


def restoreformer(head_size: int = 8) -> nn.Module:
    """spandrel's RestoreFormer, with 0.5 million parameters."""
    network = pytest.importorskip("spandrel.architectures.RestoreFormer").RestoreFormer
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return network(
            n_embed=16,
            embed_dim=32,
            ch=32,
            ch_mult=(1, 1, 1, 1, 1, 1),
            num_res_blocks=1,
            attn_resolutions=(16,),
            z_channels=32,
            head_size=head_size,
        )


def gfpgan(side: int = 64) -> nn.Module:
    """spandrel's GFPGAN for faces of ``side`` pixels, with few channels."""
    network = pytest.importorskip("spandrel.architectures.GFPGAN").GFPGAN
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        made = network(out_size=side, num_style_feat=32, channel_multiplier=1, num_mlp=1, narrow=0.0625)
        for name, parameter in made.named_parameters():
            if name.endswith("style_conv1.weight") or (name.endswith(".weight") and parameter.shape == (1,)):
                nn.init.constant_(parameter, 0.3)  # the strength of its noise, which begins at 0
        return made


def save_restoreformer(path: Path) -> Path:
    """Write it as its authors publish it."""
    torch.save({"params": restoreformer().state_dict()}, path)
    return path
