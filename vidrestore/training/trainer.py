"""The training loop of all stages: batches, precision, schedule, moving average, checkpoints, log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..degradation.degrade import degrade_batch
from ..degradation.missing import MISSING
from ..errors import TrainingError, UsageError
from ..measure.face_set import FaceSet
from ..restoration.codeformer import CodeFormer, CodeFormerConfig
from ..restoration.tasks import find_task
from ..runtime.device import has_bf16
from .checkpoint import check_sizes, load_checkpoint, load_state, with_adversary
from .data import Pairs, Recipes, batches, to_network
from .distributed import Share, average_gradients, barrier, mean, rank, world
from .grow import begin_from
from .log import Log
from .optimisers import create_optimisers
from .schedule import learning_rate
from .settings import complete
from .sheets import Sheets
from .stage import Stage
from .stage1 import Stage1
from .stage2 import Stage2
from .stage3 import Stage3
from .stage3_image import ImageStage3

#: A run ends after this many consecutive steps without a finite gradient.
_LOST = 20
#: Seconds between checkpoints.
_SAVE_EVERY = 180.0

#: Names of the stages, in order.
STAGES = ("stage1", "stage2", "stage3")


class Trainer:
    """Trains one stage, from its own checkpoint in the folder ``run`` or from that of the previous stage.

    ``config`` is a training configuration (``configs/train/``; its keys are in ``settings``). The order of
    the data and all random numbers depend only on the seed and the step. A resumed run therefore gives the
    numbers of an uninterrupted one, and several processes (torchrun) together process the same batches as a
    single one; ``batch`` is the size for all processes. Only the first process writes files. On a GPU, faces
    are degraded there.

    A stage without a checkpoint begins from ``begin``, if given, see :func:`.grow.begin_from`.

    Raises UsageError if the configuration is invalid or does not match the faces, the checkpoints or the
    number of processes, or if the previous stage has no checkpoint.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        stage: str,
        *,
        faces: FaceSet,
        run: Path,
        device: str = "cpu",
        begin: Path | None = None,
    ) -> None:
        self.config = complete(config)
        self.settings: dict[str, Any] = self.config[stage]
        self.device = torch.device(device)
        self.bf16 = config["precision"] == "bf16" and has_bf16(self.device)
        self.run = run
        self.path = run / f"{stage}.pt"
        self.step = self.lost = 0
        #: Whether ``stop`` ended the last :meth:`train` early.
        self.stopped = False
        sizes = CodeFormerConfig.from_dict(self.config["model"])
        self._check(faces, sizes)
        torch.manual_seed(self.config["seed"])
        model = CodeFormer(sizes)
        before = None if stage == "stage1" else self._previous(stage)
        if before:
            check_sizes(before, sizes, run / f"{previous(stage)}.pt")
            load_state(model, before["averaged"], run / f"{previous(stage)}.pt")
        #: For a convolution's gradient in float32, a CPU's kernels for channels last take up to three times
        #: as long, and a generator as a whole a third longer.
        self.layout = (
            torch.contiguous_format if self.device.type == "cpu" and not self.bf16 else torch.channels_last
        )
        self.model = model.to(self.device).to(memory_format=self.layout)
        task = find_task(self.config["task"])
        form = self.config["degradation"] if task.guarded else task.name
        # Stage I has a setting for whether codes get the statistics of the input's features.
        settings = {"adain": task.adain} | self.settings
        self.stage = stage_class(stage, sizes)(self.model, settings).to(self.device)
        if before:
            self.stage.inherit(before["stage"], run / f"{previous(stage)}.pt")
        if not self.path.exists():
            if begin:
                begin_from(begin, self.model, self.stage)
            elif isinstance(self.stage, Stage1) and self.stage.outer is not None:
                raise UsageError(
                    "stage1: outer_steps are for a network that begins from a smaller one; give "
                    "--begin-from, or set outer_steps to 0"
                )
        self.averaged = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        groups = self.stage.parameter_groups(self.model)
        self.parameters = [p for group in groups for p in group["params"]]
        learning = set(map(id, self.parameters))
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        self.optimisers = create_optimisers(
            self.model, groups, name=self.settings["optimiser"], rate=self.settings["rate"]
        )
        self.degrades_here = self.stage.degraded and self.device.type == "cuda" and form not in MISSING
        self.pairs = (Recipes if self.degrades_here else Pairs)(
            faces,
            seed=self.config["seed"] + STAGES.index(stage),
            length=self.settings["steps"] * self.settings["batch"],
            degraded=self.stage.degraded,
            form=form,
        )
        self.log = Log(run, stage, batch=self.settings["batch"])
        draws = self.config["sheet_every"] and rank() == 0
        self.sheets = Sheets(faces, self.stage, run, form=form) if draws else None
        if self.path.exists():
            self._load()

    def _previous(self, stage: str) -> dict[str, Any]:
        """Load the checkpoint of the previous stage."""
        path = self.run / f"{previous(stage)}.pt"
        if not path.exists():
            raise UsageError(f"{stage} starts from {path}, which does not exist; train {path.stem} first")
        return load_checkpoint(path)

    def _check(self, faces: FaceSet, sizes: CodeFormerConfig) -> None:
        side, batch = faces.side, self.settings["batch"]
        if side != sizes.image_size:
            raise UsageError(
                f"the faces are {side} pixels wide, but the model's image_size is {sizes.image_size}; "
                "train on faces of that size or a multiple of it"
            )
        if not len(faces.training):
            raise UsageError(
                "there are no faces to train on; prepare more photographs with tools/prepare_faces.py"
            )
        if batch % world():
            raise UsageError(
                f"batch is {batch}, which {world()} processes cannot share; give a multiple of {world()}"
            )

    def rate(self, step: int) -> float:
        """Return the learning rate at ``step``."""
        settings = {name: self.settings[name] for name in ("steps", "rate", "decay")}
        return learning_rate(step, **settings)

    def train(
        self,
        *,
        until: int | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> float:
        """Train and save a checkpoint.

        Args:
            until: The step to end at; by default the last one.
            stop: Called at every step; training ends if it returns True in any process.

        Returns:
            The loss of the last step, or NaN if no step was left.
        """
        steps = self.settings["steps"] if until is None else min(until, self.settings["steps"])
        if self.step >= steps:
            return math.nan
        first, saved, loss = rank() == 0, time.monotonic(), math.nan
        self.stopped = False
        stream = batches(
            Share(self.pairs, batch=self.settings["batch"]),
            batch=self.settings["batch"] // world(),
            start=self.step,
            workers=self.config["workers"],
        )
        if first:
            self.log.begin(self.step)
        with tqdm(initial=self.step, total=steps, desc=self.stage.name, disable=not first) as bar:
            while self.step < steps and not self.stopped:
                figures = self._step(self.step, next(stream), stop=stop())
                self.step += 1
                loss, self.stopped = figures["loss"], figures.pop("stop") > 0
                if not first:
                    continue
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()
                self.log.add(self.step, figures)
                if self.sheets and (self.step % self.config["sheet_every"] == 0 or self.step == steps):
                    self.sheets.draw(self.model.config, self.averaged, self.step)
                if time.monotonic() - saved > _SAVE_EVERY:
                    self.save()
                    saved = time.monotonic()
        if first:
            self.log.end()
            self.save()
        barrier()  # the next stage starts from what was saved
        return loss

    def _faces(self, clean: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
        """Convert a batch of the data to the network's input: clean and degraded faces."""
        clean = clean.to(self.device)
        degraded = degrade_batch(clean, *rest) if self.degrades_here else rest[0].to(self.device)
        faces = to_network(clean), to_network(degraded)
        return faces[0].contiguous(memory_format=self.layout), faces[1].contiguous(memory_format=self.layout)

    def _step(self, step: int, batch: tuple[Any, ...], *, stop: bool) -> dict[str, float]:
        clean, degraded = self._faces(*batch)
        generator = torch.Generator().manual_seed(self.config["seed"] * 1_000_003 + step)
        for optimiser in (*self.optimisers, *self.stage.optimisers()):
            for group in optimiser.param_groups:
                group["lr"] = self.rate(step) * group.get("scale", 1.0)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            loss, figures = self.stage.loss(self.model, clean, degraded, step, generator)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.settings["clip"])
        if torch.isfinite(norm):
            for optimiser in self.optimisers:
                optimiser.step()
            self._average(step)
            self.lost = 0
        else:  # a single bad batch must not end a long run, but permanently bad weights must
            self.lost += 1
            if self.lost == _LOST:
                raise TrainingError(
                    f"{self.stage.name} has had no finite gradient for {_LOST} steps up to step {step}; "
                    f"lower its rate and restart it: {self.path.name}, if it exists, has an earlier step"
                )
        found = {"loss": loss.detach(), **figures, "norm": norm, "rate": self.rate(step), "stop": float(stop)}
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
        """Write the checkpoint atomically, so that a killed run leaves a complete one."""
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged,
            "stage": self.stage.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "sizes": self.model.config.to_dict(),
            "log": self.log.state(),
        }
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    def _load(self) -> None:
        state = load_checkpoint(self.path, self.device)
        check_sizes(state, self.model.config, self.path)
        load_state(self.model, state["model"], self.path)
        load_state(self.stage, with_adversary(state["stage"], self.stage.state_dict()), self.path)
        self.averaged = state["averaged"]
        try:
            for optimiser, optimiser_state in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(optimiser_state)
        except ValueError:
            raise UsageError(
                f"{self.path} was trained with another optimiser, or other parts of the network were; use "
                "that configuration, or another run folder"
            ) from None
        self.step = state["step"]
        if "log" in state:
            self.log.load(state["log"])


def stage_class(stage: str, sizes: CodeFormerConfig) -> type[Stage]:
    """Return the class that implements a stage for a network of these sizes."""
    if stage == "stage3":
        return ImageStage3 if sizes.at_image else Stage3
    return {"stage1": Stage1, "stage2": Stage2}[stage]


def previous(stage: str) -> str:
    """Return the name of the previous stage."""
    return STAGES[STAGES.index(stage) - 1]
