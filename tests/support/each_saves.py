"""``tools/train.py``, but every process also saves its model at the end of each stage."""

import runpy
from pathlib import Path

import torch

from vidrestore.training.distributed import rank
from vidrestore.training.trainer import Trainer

train = Trainer.train


def train_and_save(self: Trainer, **how: object) -> float:
    loss = train(self, **how)
    torch.save(self.model.state_dict(), self.run / f"{self.stage.name}.rank{rank()}.pt")
    return loss


Trainer.train = train_and_save
runpy.run_path(str(Path(__file__).parents[2] / "tools" / "train.py"), run_name="__main__")
