"""The published sizes: every stage takes a step, and the weights keep the published shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tests.support.small_training import needs_weights
from tests.support.stand_in import shapes
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import STAGES, Trainer

pytestmark = [pytest.mark.slow, needs_weights]

CONFIG = Path(__file__).parents[2] / "configs" / "train" / "codeformer.yaml"


def test_one_step_of_each_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8")) | {"workers": 0, "sheet_every": 0}
    for stage in STAGES:
        config[stage] |= {"batch": 1} | ({} if stage == "stage2" else {"adversarial_start": 0})
    y, x = np.mgrid[:512, :512]
    face = np.stack([128 + 100 * np.sin(x / (9 + c)) * np.cos(y / 17) for c in range(3)], axis=-1)
    np.save(tmp_path / "faces.npy", face[None].astype(np.uint8))
    (tmp_path / "faces.csv").write_text("name,enlarged\na.jpg,1.0\n")

    # All that the next stage takes from a checkpoint; the whole one has 1 to 2 GB.
    monkeypatch.setattr(Trainer, "save", lambda t: torch.save({"averaged": t.averaged}, t.path))
    for stage in STAGES:
        trainer = Trainer(config, stage, faces=FaceSet(tmp_path), run=tmp_path)
        before = {name: value.clone() for name, value in trainer.averaged.items()}
        loss = trainer.train(until=1)
        assert np.isfinite(loss)
        moved = {n.split(".")[0] for n, v in trainer.averaged.items() if not torch.equal(v, before[n])}
        assert (
            moved
            == {
                "stage1": {"encoder", "generator", "quantize"},
                "stage2": {"encoder", "feat_emb", "ft_layers", "idx_pred_layer", "position_emb"},
                "stage3": {
                    "encoder",
                    "feat_emb",
                    "ft_layers",
                    "idx_pred_layer",
                    "position_emb",
                    "fuse_convs_dict",
                },
            }[stage]
        )
        state = trainer.averaged
        assert {name: list(value.shape) for name, value in state.items()} == shapes()
        assert len(state) == 515
        # The next stage sets out from a file: free this one's memory first.
        del trainer, before, state
        (tmp_path / f"{stage}.csv").unlink()
