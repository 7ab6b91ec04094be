"""Flags: spans of a run that are worth a look, each with what was done about it and what to change.

Flagged is what may be wrong or was held back, not what is merely so: a face that is sharp already is left
alone without a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..option_types import steady_parts
from ..options import Options
from ..restoration.fidelity.rules import COVERED
from ..stages.reference_guard import TOLERANCE
from .commands import analyze_command, restore_command
from .entries import FaceEntry, FrameEntry

#: Flagged frames of a track that are at most so many frames apart are one span.
_GAP = 12
#: How much more of the input a face gets by the command that a flag comes with.
_MORE_W = 0.3


@dataclass(slots=True)
class Flag:
    """One span of one track. Frames are counted from 0, times are seconds from the timeline's beginning."""

    kind: str  #: a key of :data:`KINDS`
    track: int
    shot: int
    first: int  #: its first frame
    last: int
    start: float
    end: float
    frames: int  #: how many of them are flagged
    worst: int  #: the worst frame
    worst_time: float
    entry: FaceEntry  #: the face in that frame
    value: float  #: there
    severity: float  #: there, see :meth:`Kind.severity`

    @property
    def title(self) -> str:
        """What is flagged, in a few words."""
        return KINDS[self.kind].title

    @property
    def shown_value(self) -> str:
        """The value with its unit."""
        return KINDS[self.kind].show.format(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of flag, as data."""

    title: str
    about: str  #: what it means, in a sentence
    value: Callable[[FaceEntry], float | None]  #: of a face; None: it has none
    limit: float  #: the value from which on it is flagged; if it is above ``severe``, up to which
    severe: float  #: the value of twice the severity
    show: str  #: a format for the value

    def severity(self, value: float) -> float:
        """How severe a value is: 1 at the limit, where it begins to be flagged, and 2 where it is severe."""
        return 1 + (value - self.limit) / (self.severe - self.limit)


def _guards(entry: FaceEntry) -> float:
    """The largest share of a face or of a part of it that a guard took back."""
    guards = entry.note.guards
    return max(1 - entry.note.fit, max(guards[2:]) if guards else 0.0)


def _closed(entry: FaceEntry, gate: str) -> float | None:
    return 1 - getattr(entry.note.gates, gate) if entry.note.fit else None


def _worn(entry: FaceEntry) -> float | None:
    return entry.note.worn if entry.restored else None


def _score(entry: FaceEntry) -> float | None:
    return entry.note.score or None


def _missed(entry: FaceEntry) -> float | None:
    return None if entry.note.score is None else float(entry.note.score == 0)


#: The limits are measured: see docs/report.md.
KINDS: dict[str, Kind] = {
    "identity": Kind(
        title="identity drift",
        about="The restored face came to look like someone else.",
        value=lambda entry: entry.note.guards.identity if entry.note.guards else None,
        limit=0.10,
        severe=0.35,
        show="distance {:.2f}",
    ),
    "reference": Kind(
        title="unlike its photograph",
        about="The restored face came out less like the photograph of its person than the input is.",
        value=lambda entry: entry.note.likeness and entry.note.likeness.after - entry.note.likeness.before,
        limit=TOLERANCE,
        severe=0.25,
        show="further by {:.2f}",
    ),
    "flicker": Kind(
        title="flicker",
        about="The restored face changes from frame to frame where its input does not.",
        value=lambda entry: entry.flicker,
        limit=1.5,
        severe=5.0,
        show="{:.1f} levels per frame",
    ),
    "light": Kind(
        title="light",
        about="The restored face is lighter or darker than its own frame.",
        value=lambda entry: entry.light,
        limit=2.5,
        severe=8.0,
        show="{:.1f} levels",
    ),
    "tiny": Kind(
        title="tiny",
        about="The face is so small that it is left alone or eased towards the input.",
        value=lambda entry: _closed(entry, "size"),
        limit=0.5,
        severe=1.0,
        show="held back by {:.0%}",
    ),
    "turned": Kind(
        title="turned",
        about="The face is turned so far aside that it is left alone or eased towards the input.",
        value=lambda entry: _closed(entry, "yaw"),
        limit=0.5,
        severe=1.0,
        show="held back by {:.0%}",
    ),
    "in front": Kind(
        title="in front",
        about="Something lies over the face.",
        value=lambda entry: entry.note.covered,
        limit=COVERED,
        severe=0.5,
        show="{:.0%} covered",
    ),
    "worn": Kind(
        title="worn",
        about="The face is too worn for the model: it was cleaned and got no new edges.",
        value=_worn,
        limit=0.5,
        severe=1.0,
        show="worn {:.0%}",
    ),
    "guard": Kind(
        title="guard acted",
        about="The input took the place of the face or of a part of it, which had come out another.",
        value=_guards,
        limit=0.25,
        severe=1.0,
        show="{:.0%} taken back",
    ),
    "gap": Kind(
        title="gap filled",
        about="The face was not detected: its place follows from the frames around it.",
        value=_missed,
        limit=1.0,
        severe=2.0,
        show="not detected",
    ),
    "score": Kind(
        title="low score",
        about="The detector was not sure that this is a face.",
        value=_score,
        limit=0.7,
        severe=0.3,
        show="score {:.2f}",
    ),
}


class FlagFinder:
    """Finds the flags while frames go by. Memory grows with the number of flags only."""

    def __init__(self) -> None:
        self.flags: list[Flag] = []  #: in the order of their first frames
        self._open: dict[tuple[int, str], Flag] = {}

    def add(self, frame: FrameEntry) -> None:
        """Take the next frame in."""
        for face in frame.faces:
            for name, kind in KINDS.items():
                value = kind.value(face)
                if value is None:
                    continue
                severity = kind.severity(value)
                if severity >= 1:
                    self._add(name, frame, face, value, severity)

    def _add(self, kind: str, frame: FrameEntry, face: FaceEntry, value: float, severity: float) -> None:
        key = face.note.track, kind
        flag = self._open.get(key)
        if flag is None or frame.index - flag.last > _GAP + 1:
            flag = self._open[key] = Flag(
                kind=kind,
                track=face.note.track,
                shot=frame.shot,
                first=frame.index,
                last=frame.index,
                start=frame.time,
                end=frame.time,
                frames=0,
                worst=frame.index,
                worst_time=frame.time,
                entry=face,
                value=value,
                severity=0.0,
            )
            self.flags.append(flag)
        flag.last, flag.end, flag.frames = frame.index, frame.time, flag.frames + 1
        if severity > flag.severity:
            flag.worst, flag.worst_time = frame.index, frame.time
            flag.entry, flag.value, flag.severity = face, value, severity


def what_was_done(flag: Flag, *, restored: bool = True, task: str = "restore") -> str:
    """What was done about a flag in its worst frame, in words. ``restored`` says whether the run restored
    faces, or only found them; ``task`` what it did to them."""
    note, acted = flag.entry.note, flag.entry.acted
    if not restored:
        return "found only"
    if not flag.entry.restored:
        return "left alone: its samples are the input's"
    done = []
    if "raised w" in acted:
        done.append(f"w raised to {note.guards.w:.2f}" if note.guards else "")
    for name in ("identity guard", "left eye guard", "right eye guard", "mouth guard"):
        if name in acted:
            part = "the face" if name == "identity guard" else f"the {name.removesuffix(' guard')}"
            done.append(f"the input took the place of {acted[name]:.0%} of {part}")
    if "reference guard" in acted:
        done.append("held to its photograph")
    if "cover" in acted:
        done.append("what lies over it was " + ("filled" if task == "inpaint" else "left as it is"))
    if acted.get("worn", 0) >= 0.5:
        done.append("cleaned, without new edges")
    if note.strength < 0.995:
        done.append(f"restored at {note.strength:.0%}")
    return "; ".join(done) or "restored"


def what_to_change(flag: Flag, options: Options) -> tuple[str, str]:
    """What to do about a flag: a few words, and a command for it."""
    note, track = flag.entry.note, flag.track
    faithful = (
        f"trust the input more for track {track}",
        restore_command(options, track_w={track: round(min(1.0, (note.w or 0.5) + _MORE_W), 2)}),
    )
    by_hand = restore_command(options) if options.tracks else analyze_command(options)
    where = options.tracks.name if options.tracks else "the tracks file"
    span = f"from {flag.start:.2f} to {flag.end:.2f}"
    skip = f'add the span {span} with "skip": true to track {track} of {where}', by_hand
    match flag.kind:
        case "tiny":
            size = max(0, int(note.size / 1.5))
            return f"restore faces of {note.size:.0f} pixels too", restore_command(options, min_face=size)
        case "turned":
            return "restore faces that are turned aside too", restore_command(options, max_yaw=0.0)
        case "worn" if (
            options.weights is None and options.model in ("auto", "lite", "face") and not options.commercial
        ):
            return "use the published model", restore_command(options, model="codeformer")
        case "gap" if options.detector != "retinaface_resnet50" and options.tracks is None:
            return "use the slower detector", restore_command(options, detector="retinaface_resnet50")
        case "flicker" | "light" if steady_parts(options.steady) != steady_parts("all"):
            return "hold it steady over time", restore_command(options, steady="all")
        case "identity" | "reference" | "flicker" | "light" | "guard" if (
            options.task == "restore" and note.fit and (note.w or 0) < 1
        ):
            return faithful
    return skip
