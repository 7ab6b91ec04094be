"""Restores one video by several workers: the sentence of the pipeline, spread over a cluster."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ..errors import UsageError
from ..media.decode.decoder import Decoder
from ..media.output.destination import check_output, display_name
from ..media.output.segment_writer import SEGMENT_LENGTH, SegmentWriter
from ..media.remux.stream_plan import refuse_losses
from ..options import Options
from ..pipeline import open_for_restoration, open_output, say_deinterlaced
from ..report import Report
from ..restoration.load import load_restorer
from ..review.compare import Comparison, check_comparison
from ..review.files import ReviewFiles
from ..runtime.profile import Profile
from ..stages.face_source import origin_of, recorded_source
from ..stages.resume import Resume
from ..stages.reuse import Reuse, begin_earlier
from ..stages.setup import Setup
from .arrivals import Arrivals
from .cluster import Cluster
from .collector import Collector
from .film import Film, content_of
from .lead import Lead
from .sightings import Sighting, recorded_sightings


def restore_on_cluster(
    options: Options,
    cluster: Cluster,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    segment_length: int = SEGMENT_LENGTH,
    complete: Callable[[Path], None] = lambda path: None,
) -> Report:
    """Does what :func:`vidrestore.pipeline.restore_video` does, with the workers of ``cluster``, and as that
    continues what either has begun. Raises VidrestoreError, and then leaves no OUT behind,
    unless it says that OUT is complete."""
    started, out = time.monotonic(), options.destination
    check_output(out, options.input, overwrite=options.overwrite, container=options.container)
    check_comparison(options)
    with ReviewFiles(options) as review, ExitStack() as stack:
        decoder = stack.enter_context(open_for_restoration(options))
        options, setup, key = cluster.decide(_with_absolute_paths(options), decoder.source)
        if options.strict and setup.container:
            refuse_losses(decoder.source, setup.container, display_name(out))
        say_deinterlaced(options, decoder)
        comparison = Comparison.begin(options, decoder.source, lambda: progress(writer.frames, 0))
        writer = stack.enter_context(
            open_output(
                options,
                setup,
                decoder.source,
                segment_length,
                comparison=comparison,
                complete=complete,
                told=review.told,
            )
        )
        if not isinstance(writer, SegmentWriter):
            raise UsageError("--ray needs an OUT that is a file: other output has no segments")
        earlier = begin_earlier(writer, decoder, options, setup, lambda: progress(0, 0))
        arrivals, collector = Arrivals(writer, earlier), Collector(segment_length, earlier.wanted)
        shares, faces = [], earlier.faces
        if earlier.wanted:
            film = stack.enter_context(_film(options, setup, key, writer))
            lead = _lead(film, cluster, collector, arrivals, earlier, decoder, progress)
            try:
                asyncio.run(lead.run())
            finally:
                cluster.engine.end(film)
            shares = [{"worker": worker, **asdict(share)} for worker, share in sorted(lead.shares.items())]
            faces += lead.faces
        arrivals.insert()
        origin = origin_of(options, decoder)
        stack.close()  # finishes OUT
        report = Report(
            output=out,
            frames=writer.frames,
            faces=faces,
            tracks=max(earlier.tracks, collector.tracks),
            resumed=earlier.frames,
            seconds=time.monotonic() - started,
            setup=setup,
            profile=Profile(),
            workers=shares,
        )
        licence = None
        if review.notes and (weights := setup.restorer.weights):
            device, task = torch.device("cpu"), setup.restorer.task
            licence = load_restorer(weights, device=device, precision="fp32", task=task).spec.licence
        review.write(origin=origin, setup=setup, licence=licence, times=report.times)
    if comparison and comparison.failed:
        raise comparison.failed
    return report


def _with_absolute_paths(options: Options) -> Options:
    """``options`` whose files of weights and of a mask have the same paths in any folder."""
    background, mask = Path(options.background), options.mask
    return replace(
        options,
        weights=options.weights and options.weights.absolute(),
        mask=mask.absolute() if isinstance(mask, Path) else mask,
        background=str(background.absolute()) if background.is_file() else options.background,
    )


@contextmanager
def _film(options: Options, setup: Setup, key: dict[str, str], writer: SegmentWriter) -> Iterator[Film]:
    """What workers are told; while entered, they can see by a file whether they see the folder of OUT."""
    path = Path(options.input.absolute())
    folder, probe = writer.folder.path.absolute(), f"probe-{secrets.token_hex(8)}"
    (folder / probe).write_text(probe, encoding="utf-8")
    try:
        yield Film(
            name=f"{path} {probe}",
            options=replace(options, input=path),
            setup=setup,
            length=writer.length,
            key=key,
            content=content_of(path),
            folder=folder,
            probe=probe,
        )
    finally:
        (folder / probe).unlink(missing_ok=True)


def _lead(
    film: Film,
    cluster: Cluster,
    collector: Collector,
    arrivals: Arrivals,
    earlier: Resume | Reuse,
    decoder: Decoder,
    progress: Callable[[int, int], None],
) -> Lead:
    engine, state = cluster.engine, None
    if film.options.tracks or isinstance(earlier, Reuse):
        source = earlier.source or recorded_source(film.options, decoder)
        # Restored faces are compared with photographs by the place of their frame in the recording. Without
        # any, workers get the faces of what they restore, however long the film.
        shared = any(each.reference for each in source.recording.persons.values())
        if shared:
            engine.share(film, source.recording)
        feed = recorded_sightings(
            film.options, film.setup, decoder, earlier, length=film.length, shared=shared
        )
    else:
        feed, state = None, earlier.state

    def analyse(state: Mapping[str, Any] | None) -> AsyncIterator[Sequence[Sighting]]:
        return _in_thread(feed) if feed else engine.find(film, state)

    told = earlier.frames

    def tell(frames: int, faces: int) -> None:
        nonlocal told
        if frames and told == earlier.frames:
            progress(told + 1, earlier.faces)  # the first of this run
        told = max(told, earlier.frames + frames)
        progress(told, earlier.faces + faces)

    return Lead(
        film,
        cluster.crew,
        collector,
        arrivals,
        analyse,
        expected=decoder.source.frames,
        state=state,
        told=tell,
    )


async def _in_thread(feed: Generator[Sequence[Sighting], None, None]) -> AsyncIterator[Sequence[Sighting]]:
    """Iterate over a generator in a thread of its own."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "decode") as thread:
        try:
            while sightings := await loop.run_in_executor(thread, next, feed, None):
                yield sightings
        finally:
            thread.submit(feed.close)
