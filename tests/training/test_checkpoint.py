"""Reading checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from vidrestore.errors import UsageError
from vidrestore.training.checkpoint import entries_below, load_averaged, load_checkpoint, load_state


def test_averaged_weights_are_read(tmp_path: Path) -> None:
    torch.save({"averaged": {"a": torch.ones(2)}, "stage": {}, "step": 1}, tmp_path / "stage1.pt")
    assert load_averaged(tmp_path / "stage1.pt")["a"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"no checkpoint", "is damaged or not a checkpoint"), ({"a": 1}, "is not a checkpoint")],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: object, problem: str) -> None:
    path = tmp_path / "stage1.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UsageError, match=rf"stage1\.pt {problem}"):
        load_checkpoint(path)


def test_entries_below_a_prefix() -> None:
    state = {"a.b": torch.ones(1), "a.c.d": torch.ones(2), "ab": torch.ones(3)}
    assert {name: len(value) for name, value in entries_below(state, "a.").items()} == {"b": 1, "c.d": 2}


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    load_state(module, nn.Linear(2, 3).state_dict(), tmp_path / "a.pt")
    with pytest.raises(UsageError, match=r"a\.pt was trained with another configuration"):
        load_state(module, nn.Linear(3, 3).state_dict(), tmp_path / "a.pt")
