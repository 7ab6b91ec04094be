"""The loop that all stages share: batches, precision, schedule, moving average, checkpoints, log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from vidrestore.restore.codeformer import CodeFormer, CodeFormerConfig

from .data import FaceSet, Pairs, batches, to_network
from .distributed import Share, average_gradients, barrier, mean, rank, world
from .log import Log
from .stage import Stage
from .stage1 import Stage1
from .stage2 import Stage2
from .stage3 import Stage3

STAGES: dict[str, type[Stage]] = {stage.name: stage for stage in (Stage1, Stage2, Stage3)}


class Trainer:
    """Trains one stage, from the weights the stage before it left in ``run`` or from the stage's own
    checkpoint there.

    ``config`` is a training configuration as data (``configs/train/``): ``model``, ``seed``,
    ``precision`` (fp32 or bf16), ``workers``, ``degradation`` (video or paper) and a table for each stage.
    Data order and random numbers depend on the seed and the step alone, so a resumed run gives the numbers
    of an uninterrupted one, and several processes (torchrun) see together the batches that one would:
    ``batch`` is what they share. The first of them writes. Raises FileNotFoundError where the stage before
    has left no checkpoint.
    """

    def __init__(
        self, config: Mapping[str, Any], stage: str, *, faces: FaceSet, run: Path, device: str = "cpu"
    ) -> None:
        self.config = config
        self.settings: dict[str, Any] = config[stage]
        self.device = torch.device(device)
        self.run = run
        self.path = run / f"{stage}.pt"
        self.step = 0
        #: Whether the last :meth:`train` ended early, by ``stop``.
        self.stopped = False
        self.log = Log(run / f"{stage}.csv")
        torch.manual_seed(config["seed"])
        model = CodeFormer(CodeFormerConfig.from_dict(config["model"]))
        if stage != "stage1":
            model.load_state_dict(load_averaged(run / f"{previous(stage)}.pt"))
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.stage = STAGES[stage](self.model, self.settings).to(self.device)
        self.averaged = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        groups = self.stage.parameter_groups(self.model)
        learning = {id(p) for group in groups for p in group["params"]}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        self.optimiser = torch.optim.AdamW(
            groups, lr=self.settings["rate"], betas=(0.9, 0.99), weight_decay=1e-4
        )
        self.pairs = Pairs(
            faces,
            seed=config["seed"] + list(STAGES).index(stage),
            length=self.settings["steps"] * self.settings["batch"],
            degraded=self.stage.degraded,
            form=config.get("degradation", "video"),
        )
        if self.path.exists():
            self._load()

    def rate(self, step: int) -> float:
        """The learning rate: 2 % of the steps rising, then a cosine down to 2 %."""
        steps = self.settings["steps"]
        rise = max(1, steps // 50)
        if step < rise:
            return self.settings["rate"] * (step + 1) / rise
        done = (step - rise) / max(1, steps - rise)
        return self.settings["rate"] * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    def train(
        self,
        *,
        until: int | None = None,
        save_every: float = 180.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> float:
        """Train to step ``until`` (default: all), or to the step at which ``stop`` says so in any of the
        processes, and save; return the last step's loss."""
        steps = self.settings["steps"] if until is None else min(until, self.settings["steps"])
        saved, loss = time.monotonic(), math.nan
        batch = self.settings["batch"]
        stream = batches(
            Share(self.pairs, batch=batch),
            batch=batch // world(),
            start=self.step,
            workers=self.config["workers"],
        )
        if rank() == 0:
            self.log.begin(self.step)
        bar = tqdm(initial=self.step, total=steps, desc=self.stage.name, disable=rank() > 0)
        with bar:
            while self.step < steps:
                figures = self._step(self.step, *next(stream), stop=stop())
                self.step += 1
                bar.update()
                loss = figures["loss"]
                self.stopped = figures.pop("stop") > 0
                if rank() == 0:
                    self.log.add(self.step, figures)
                if self.stopped:
                    break
                if time.monotonic() - saved > save_every:
                    self.save()
                    saved = time.monotonic()
        self.save()
        barrier()  # the next stage starts from what was saved
        return loss

    def _step(self, step: int, clean: Tensor, degraded: Tensor, *, stop: bool) -> dict[str, float]:
        clean, degraded = (to_network(x.to(self.device)) for x in (clean, degraded))
        generator = torch.Generator().manual_seed(self.config["seed"] * 1_000_003 + step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(step) * group["scale"]
        bf16 = self.config["precision"] == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            loss, figures = self.stage.loss(self.model, clean, degraded, step, generator)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.settings["clip"])
        if torch.isfinite(norm):  # one bad batch must not end a long run
            self.optimiser.step()
            self._average(step)
        found = {"loss": loss.detach(), **figures, "norm": norm, "stop": float(stop)}
        values = torch.stack(
            [torch.as_tensor(v, dtype=torch.float32).to(self.device) for v in found.values()]
        )
        return dict(zip(found, mean(values).tolist(), strict=True))

    @torch.no_grad()
    def _average(self, step: int) -> None:
        decay = min(self.settings["average"], (1 + step) / (10 + step))
        for name, value in self.model.state_dict().items():
            self.averaged[name].lerp_(value, 1 - decay)

    def save(self) -> None:
        """Write the checkpoint: to a new file first, so that a kill leaves a whole one. The first process
        does, the others know the same."""
        if rank() > 0:
            return
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged,
            "stage": self.stage.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "log": self.log.state(),
        }
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    def _load(self) -> None:
        state = torch.load(self.path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.averaged = state["averaged"]
        self.stage.load_state_dict(state["stage"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        if "log" in state:
            self.log.load(state["log"])


def previous(stage: str) -> str:
    """The name of the stage before."""
    names = list(STAGES)
    return names[names.index(stage) - 1]


def load_averaged(path: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint."""
    return torch.load(path, map_location="cpu", weights_only=True)["averaged"]
