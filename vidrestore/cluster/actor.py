"""The process that restores portions, as an actor: one network, loaded once."""

from __future__ import annotations

import logging
import os
import platform
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..faces.recorded.recording import Recording
from ..media.output.destination import writing
from ..media.output.segments import SUFFIX
from ..runtime.device import find_device, float32_arithmetic, set_compile_cache
from ..runtime.host import prepare_process
from ..runtime.memory import translate_out_of_memory
from ..stages.networks import Networks
from ..stages.portion import Portion
from ..stages.setup import Setup
from ..weights.store import cache_dir
from .film import Film, check_worker, code_key, is_content
from .parcels import Parcel, Part, parts
from .rendering import Count, Made, render
from .sightings import live_sightings
from .told import Piece, Said

#: Bytes of a file that are sent at once.
CHUNK = 8 << 20
#: Films that a worker remembers.
_FILMS = 16


@dataclass(slots=True)
class _Joined:
    film: Film
    recording: Recording | None
    input: Path | None  #: where this machine has it
    shared: bool  #: it sees the folder where segments are kept


class Restorer:
    """Restores portions of films."""

    def __init__(self, name: str = "worker") -> None:
        """``name`` is what Ray's dashboard calls it."""
        prepare()
        self._name = name
        self._networks = Networks()
        self._films: dict[str, _Joined] = {}
        self._received: Path | None = None
        self._parcel = Parcel()
        self._portion: Portion | None = None

    def __repr__(self) -> str:
        return self._name

    def about(self) -> tuple[str, str, dict[str, str]]:
        """The id that the cluster gives its machine, the name of the machine, and its :func:`.code_key`.
        These types are known to workers of every version."""
        import ray

        return ray.get_runtime_context().get_node_id(), platform.node(), code_key()

    def join(self, film: Film, recording: Recording | None) -> tuple[str, bool]:
        """Take part in a film whose faces ``recording`` has, if any does: where this machine has the input
        (``seen``, ``received``, or empty for nowhere), and whether it sees the folder where segments are
        kept. Raises RefusedError."""
        received = received_path(film)
        known = self._films.get(film.name)
        # What was received is deleted when a film ends, which may have had the same input.
        if not known or known.input is None or (known.input == received and not received.is_file()):
            check_worker(film)
            paths = (film.options.input, received)
            found = next((path for path in paths if is_content(path, film.content)), None)
            self._films.pop(film.name, None)
            while len(self._films) >= _FILMS:
                del self._films[next(iter(self._films))]
            self._films[film.name] = _Joined(film, recording, found, sees(film.folder, film.probe))
        joined = self._films[film.name]
        place = "received" if joined.input == received else "seen" if joined.input else ""
        return place, joined.shared

    def receive(self, film: Film, content: bytes, *, begins: bool, ends: bool) -> None:
        """Receive the next piece of a film's input. Raises OutputError if it cannot be kept."""
        path = received_path(film)
        if begins:
            self._received = path.with_name(f"{path.stem}-{secrets.token_hex(4)}.part")
        assert self._received is not None
        try:
            with writing(self._received), self._received.open("ab") as file:
                file.write(content)
            if ends:
                os.replace(self._received, path)
        except BaseException:
            self._received.unlink(missing_ok=True)
            raise

    def hear(self, part: Part) -> None:
        """Hear the next part of the portion that is to be restored next."""
        self._portion = self._parcel.add(part)

    def render(self, film: Film) -> Iterator[Count | Made | Said | Piece]:
        """Restore the portion that was heard, of a film that was joined. A complete segment comes as a file
        in the folder of segments, else as pieces, before :class:`.rendering.Made`. Raises VidrestoreError."""
        joined, portion = self._films[film.name], self._portion
        assert joined.input is not None
        assert portion is not None
        options = replace(film.options, input=joined.input)
        with heard() as said, tempfile.TemporaryDirectory(prefix="vidrestore-") as scratch:
            folder = film.folder if joined.shared else Path(scratch)
            token = secrets.token_hex(4)
            for item in render(
                portion,
                options,
                local_setup(film.setup, options.batch),
                self._networks,
                path_of=lambda first: folder / f"{first:010}-{token}{SUFFIX}",
                recording=joined.recording,
            ):
                yield from said
                said.clear()
                if isinstance(item, Made) and not joined.shared:
                    with item.segment.path.open("rb") as file:
                        while content := file.read(CHUNK):
                            yield Piece(content)
                    item.segment.path.unlink()
                yield item
            yield from said

    def find(self, film: Film, state: Mapping[str, Any] | None) -> Iterator[Part | Said]:
        """Find and track the faces of a film that was joined, from ``state`` on. Yields the parts of what
        :func:`.live_sightings` does, and what is logged meanwhile: only here is the whole file read. Raises
        VidrestoreError."""
        joined = self._films[film.name]
        assert joined.input is not None
        setup = local_setup(film.setup, film.options.batch)
        options = replace(film.options, input=joined.input)
        device, precision = setup.device, setup.restorer.precision
        with heard() as said, translate_out_of_memory(device), float32_arithmetic(device, precision):
            for sightings in live_sightings(
                options, setup, length=film.length, state=state, networks=self._networks
            ):
                yield from said
                said.clear()
                yield from parts(sightings)
            yield from said


def forget(film: Film) -> None:
    """A film has ended: delete what this machine was sent of it."""
    with suppress(OSError):
        received_path(film).unlink(missing_ok=True)


def prepare() -> None:
    """Prepare this process for restoring."""
    prepare_process()
    set_compile_cache(cache_dir() / "compiled")


def local_setup(setup: Setup, batch: int | str) -> Setup:
    """``setup`` for this machine: how many faces are restored at once depends on it."""
    device = find_device(setup.restorer.device.type)
    restorer = replace(setup.restorer, device=device)
    return replace(setup, device=device, restorer=restorer, batch=restorer.batch(batch))


def received_path(film: Film) -> Path:
    """Where a machine keeps the input that it was sent."""
    return Path(tempfile.gettempdir()) / f"vidrestore-{film.content[:16]}{film.options.input.suffix}"


def sees(folder: Path, probe: str) -> bool:
    """Whether this machine sees the ``folder`` of segments, with the file ``probe`` that holds its own name,
    and can write there."""
    try:
        if (folder / probe).read_text(encoding="utf-8") != probe:
            return False
        own = folder / f"{probe}-{secrets.token_hex(4)}.part"
        own.touch()
        own.unlink()
    except OSError:
        return False
    return True


#: Those of the contexts of :func:`heard` that are open, and the level and propagation of the log before them.
_listeners: list[logging.Handler] = []
_before: list[Any] = []


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: list[Said] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(Said(record.levelno, record.getMessage()))


@contextmanager
def heard() -> Iterator[list[Said]]:
    """Collects the messages of this program that are logged inside the context. Contexts may overlap: each
    collects all of them."""
    log, listener = logging.getLogger("vidrestore"), _Listener()
    if not _listeners:
        _before[:] = log.level, log.propagate
        log.setLevel(logging.INFO)
        log.propagate = False
    _listeners.append(listener)
    log.addHandler(listener)
    try:
        yield listener.said
    finally:
        log.removeHandler(listener)
        _listeners.remove(listener)
        if not _listeners:
            level, log.propagate = _before
            log.setLevel(level)
