"""Options resolved: every "auto" becomes a decision here, once, and everything else reads the decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch

from ..errors import InputError, UsageError
from ..faces.detection.load import resolve_detector
from ..faces.detection.working_size import detector_size
from ..faces.recorded.tracks_file import restorers_in
from ..media.containers import Container
from ..media.decode.decoder import Decoder
from ..media.encode.choose import choose_encoder
from ..media.encode.settings import EncoderConfig, EncoderSettings
from ..media.output.destination import container_of
from ..media.photo.formats import photo_format
from ..media.source_video import SourceVideo
from ..media.timeline import Span
from ..options import Options
from ..restoration.load import ModelChoice, check_restorer_file, resolve_model
from ..runtime.batching import choose_batch
from ..runtime.device import find_device, find_precision
from ..runtime.host import network_workers
from ..upscale.choose import UpscalerSetup
from ..weights.registry import lookup, restorer_names
from ..weights.store import locate
from .enlarging import enlarged_source, upscaler_of
from .holes import check_samples

#: Frames that a device other than the CPU searches for faces in one pass.
_DETECTOR_BATCH = 8
#: Bytes that the published network takes for each face of a batch, as measured on a CPU.
FACE_BYTES = {"fp32": 512 << 20, "bf16": 264 << 20, "fp16": 264 << 20}


@dataclass(frozen=True, kw_only=True)
class AnalysisSetup:
    """What finding faces needs to know, decided."""

    input: Path
    span: Span  #: the part of the video, in seconds from its beginning
    device: torch.device
    detector: str | None  #: name in the weights registry; None if the faces come from a tracks file
    detector_size: tuple[int, int]  #: width and height that frames are reduced to for it, in pixels
    detector_batch: int  #: frames in one pass of the detector
    downloads: tuple[str, ...]  #: weights that are not in the cache yet; empty in a run, which has them

    @classmethod
    def resolve(cls, options: Options, source: SourceVideo | None = None, *, download: bool = True) -> Self:
        """As :meth:`Setup.resolve`, for ``analyze``."""
        source = source or read_source(options)
        device = find_device(options.device)
        detector, missing = None, False
        if options.tracks is None:
            choice = resolve_detector(options.detector, offline=options.offline, download=download)
            detector, missing = choice.name, choice.missing
        elif not options.tracks.exists():
            raise InputError(
                f"the tracks file {options.tracks} does not exist; make one with: vidrestore analyze"
            )
        if device.type == "cpu":
            batch = network_workers()  # one frame for each worker: more would only cost memory
        else:
            batch = _DETECTOR_BATCH if isinstance(options.batch, str) else options.batch
        return cls(
            input=options.input,
            span=source.timeline.span,
            device=device,
            detector=detector,
            detector_size=detector_size(source.upright_size, source.upright_aspect),
            detector_batch=batch,
            downloads=(detector,) if detector and missing else (),
        )

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.summary().items())

    def __repr__(self) -> str:
        values = ", ".join(f"{name.replace(' ', '_')}={value}" for name, value in self.summary().items())
        return f"{type(self).__name__}({values})"

    def summary(self) -> dict[str, str]:
        """The decisions, by the names that users know them by."""
        end = "the end" if self.span.end is None else f"{float(self.span.end):g} s"
        width, height = self.detector_size
        decided = {
            "input": self.input.name,
            "span": f"{float(self.span.start):g} s to {end}",
            "device": str(self.device),
            "detector": f"{self.detector} at {width}x{height}" if self.detector else "none (tracks file)",
        }
        return decided | ({"downloads": "+".join(self.downloads)} if self.downloads else {})


@dataclass(frozen=True, kw_only=True)
class RestorerSetup:
    """What loading the networks that restore faces needs to know, decided."""

    task: str  #: what is done to faces, see :mod:`..restoration.tasks`
    device: torch.device
    precision: str  #: arithmetic of the networks: ``fp32``, ``bf16`` or ``fp16``
    model: str  #: name in the weights registry, or the name of the file ``weights``
    weights: Path | None  #: the user's own file
    fallback: str | None  #: the model used instead if ``model`` cannot be downloaded
    missing: bool  #: the weights of ``model`` are not in the cache yet; never in a run
    others: tuple[str, ...]  #: names in the weights registry of models that the tracks file names besides
    others_missing: tuple[str, ...]  #: those of ``others`` not in the cache yet; empty in a run
    face_parser: str | None  #: name in the weights registry, if its weights are in the cache

    @classmethod
    def resolve(
        cls,
        *,
        task: str = "restore",
        model: str = "auto",
        weights: Path | None = None,
        device: str = "auto",
        precision: str = "auto",
        offline: bool = False,
        commercial: bool = False,
        others: Iterable[str] = (),
        download: bool = True,
    ) -> RestorerSetup:
        """Resolve the options of these names; ``download`` as for :meth:`Setup.resolve`. ``others`` are
        names of models that restore some faces.

        Raises VidrestoreError; of the file ``weights`` only its existence and type are checked here.
        """
        found = find_device(device)
        arithmetic = find_precision(precision, found)
        if weights is not None:
            check_restorer_file(weights, commercial=commercial)
            choice = ModelChoice(weights.name)
        else:
            choice = resolve_model(
                model, task=task, offline=offline, download=download, commercial=commercial
            )
        chosen = [
            resolve_model(name, task=task, offline=offline, download=download, commercial=commercial)
            for name in sorted({*others} - {choice.name})
        ]
        parser = "parsenet" if locate("parsenet") else None
        if parser and commercial and not lookup(parser).commercial:
            parser = None
        return cls(
            task=task,
            device=found,
            precision=arithmetic,
            model=choice.name,
            weights=weights,
            fallback=choice.fallback,
            missing=choice.missing,
            others=tuple(other.name for other in chosen),
            others_missing=tuple(other.name for other in chosen if other.missing),
            face_parser=parser,
        )

    @classmethod
    def of(cls, options: Options, *, download: bool = True) -> RestorerSetup:
        """What a run with ``options`` resolves them to, with the models that its tracks file names; see
        :meth:`resolve`."""
        return cls.resolve(
            task=options.task,
            model=options.model,
            weights=options.weights,
            device=options.device,
            precision=options.precision,
            offline=options.offline,
            commercial=options.commercial,
            others=_named_restorers(options),
            download=download,
        )

    def batch(self, chosen: int | str) -> int:
        """How many faces to restore at once, if ``--batch`` is ``chosen``."""
        return choose_batch(self.device, FACE_BYTES[self.precision]) if isinstance(chosen, str) else chosen

    def summary(self) -> dict[str, str]:
        """The decisions, by the names that users know them by."""
        return {
            **({"task": self.task} if self.task != "restore" else {}),
            "model": f"{self.model} (or {self.fallback})" if self.fallback else self.model,
            **({"other models": "+".join(self.others)} if self.others else {}),
            "precision": self.precision,
            "face parser": self.face_parser or "none",
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Setup(AnalysisSetup):
    """All decisions of a run: what every option means for this input on this machine.

    The run, the dry run, the resume key and ``--profile`` read it, and decide nothing themselves.
    """

    restorer: RestorerSetup
    upscaler: UpscalerSetup | None  #: None if frames keep their size
    batch: int  #: faces in one pass of the model
    container: Container | None  #: None if no file is written
    encoder: EncoderConfig | None  #: None if no file is written

    @classmethod
    def resolve(cls, options: Options, source: SourceVideo | None = None, *, download: bool = True) -> Self:
        """Resolve the options of a run.

        Args:
            options: What the user asked for.
            source: The video of ``options.input``; opened and read if it is not given.
            download: Download weights that are chosen and not in the cache, so that ``downloads`` is empty
                and the model final. A dry run passes False: the network is not used.

        Raises:
            VidrestoreError: An option does not fit the input or this machine, or weights are not available.
        """
        source = source or read_source(options)
        # First, as it downloads little.
        upscaler = upscaler_of(options, download=download)
        analysis = AnalysisSetup.resolve(options, source, download=download)
        restorer = RestorerSetup.of(options, download=download)
        check_samples(options, source)
        container, encoder = None, None
        if options.output is not None:
            container = container_of(options.output, options.container)
            written = enlarged_source(source, options.upscale)
            encoder = choose_encoder(written, container, encoder_settings(options), strict=options.strict)
        decided = {field.name: getattr(analysis, field.name) for field in fields(AnalysisSetup)}
        decided["downloads"] += (restorer.model,) if restorer.missing else ()
        decided["downloads"] += restorer.others_missing + (upscaler.missing if upscaler else ())
        return cls(
            **decided,
            restorer=restorer,
            upscaler=upscaler,
            batch=restorer.batch(options.batch),
            container=container,
            encoder=encoder,
        )

    def summary(self) -> dict[str, str]:
        """The decisions, by the names that users know them by."""
        writes = f"{self.encoder} in {self.container.name}" if self.container else "none"
        enlarged = {"upscaler": str(self.upscaler)} if self.upscaler else {}
        own = {"batch": str(self.batch), "encoder": writes}
        return super().summary() | self.restorer.summary() | enlarged | own


def _named_restorers(options: Options) -> frozenset[str]:
    """The models that the tracks file names. Raises InputError for one that is not known."""
    if options.tracks is None:
        return frozenset()
    named = restorers_in(options.tracks)
    if unknown := sorted(named - {*restorer_names()}):
        raise InputError(
            f"the tracks file {options.tracks} has the restorer {unknown[0]!r}, which is not known; choose "
            f"one of {', '.join(restorer_names())}"
        )
    return named


def refuse_photo(options: Options) -> None:
    """Raise UsageError if the input is a photo, of which no track can be followed."""
    if photo_format(options.input):
        raise UsageError(f"{options.input.name} is a photo, and this is for videos: use vidrestore IN OUT")


def open_video(options: Options, *, context: int = 0) -> Decoder:
    """Open the video of a run. ``context``: frames to decode beyond each end of its span.

    Raises InputError or UsageError.
    """
    return Decoder(
        options.input,
        Span(options.start, options.stop),
        context=context,
        video_stream=options.video_stream,
        deinterlace=options.deinterlace,
        strict=options.strict,
        rate=options.rate,
    )


def read_source(options: Options) -> SourceVideo:
    """Decode the first frame of the video of a run and describe it. Raises InputError or UsageError."""
    with open_video(options) as decoder:
        return decoder.source


def encoder_settings(options: Options) -> EncoderSettings:
    """The options that are the encoder's."""
    return EncoderSettings(
        codec=options.codec,
        crf=options.crf,
        preset=options.preset,
        pix_fmt=options.pix_fmt,
        options=options.encoder_options,
    )
