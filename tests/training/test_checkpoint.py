"""Reading checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from vidrestore.errors import UsageError
from vidrestore.training.checkpoint import load_averaged, load_state


def test_averaged_weights_are_read(tmp_path: Path) -> None:
    torch.save({"averaged": {"a": torch.ones(2)}, "model": {}}, tmp_path / "stage1.pt")
    assert load_averaged(tmp_path / "stage1.pt")["a"].tolist() == [1, 1]


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    load_state(module, nn.Linear(2, 3).state_dict(), tmp_path / "a.pt")
    with pytest.raises(UsageError, match=r"a\.pt was trained with another configuration"):
        load_state(module, nn.Linear(3, 3).state_dict(), tmp_path / "a.pt")
