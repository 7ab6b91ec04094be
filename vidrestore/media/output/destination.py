"""OUT: which container it is, whether it may be written, and how it appears."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av.error

from ...errors import OutputError, UsageError
from ..containers import CONTAINERS, EXTENSIONS, MATROSKA, Container
from .special_files import STDOUT, check_stream, file_behind, is_stream

#: Errors by which FFmpeg refuses what it is given, whatever the state of the disk.
_REFUSALS = (
    av.error.ArgumentError,
    av.error.InvalidDataError,
    av.error.PatchWelcomeError,
    av.error.BugError,
)
#: Bytes of the longest name of a file, in the usual file systems.
_LONGEST_NAME = 255


def container_of(out: Path, name: str | None = None) -> Container:
    """The container of OUT: the one called ``name``, else the one that its extension stands for. Raises
    UsageError."""
    if name is not None:
        return CONTAINERS[name]
    try:
        return EXTENSIONS[out.suffix.lower()]
    except KeyError:
        if is_stream(out):
            return MATROSKA
        raise UsageError(
            f"{out.name!r} does not have the extension of a container; use one of {', '.join(EXTENSIONS)}, "
            "or give -f"
        ) from None


def check_output(out: Path, source: Path, *, overwrite: bool, container: str | None = None) -> None:
    """Raise OutputError or UsageError if OUT cannot or must not be written."""
    container_of(out, container)
    if is_stream(out):
        check_stream(out)
        if out != STDOUT and os.path.exists(source) and out.samefile(source):  # a pipe would fill up
            raise OutputError(f"{out} is the input itself; choose another name")
    else:
        check_path(out, source, overwrite=overwrite)


def check_path(out: Path, source: Path, *, overwrite: bool) -> None:
    """Raise OutputError if no file can or must be written at ``out``, or where it points to if it is a link.
    The input ``source`` never is."""
    if is_stream(out):
        raise OutputError(f"{display_name(out)} is a pipe or a device; name a file")
    try:
        folder = file_behind(out).absolute().parent
    except FileNotFoundError:
        raise OutputError(f"{out} cannot be written: the current folder no longer exists") from None
    # Unlike those of Path, the functions of os.path return False for names that cannot exist.
    if not os.path.isdir(folder):
        if os.path.exists(folder):
            raise OutputError(f"{folder} is not a folder; choose another")
        raise OutputError(f"the folder {folder} does not exist; make it first or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} cannot be written to: permission denied")
    try:
        out.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # a name that is too long or contains NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{str(out)!r} cannot be written: {reason}; choose another name") from None
    if os.path.isdir(out):
        raise OutputError(f"{out} is a folder; name a file")
    if os.path.islink(file_behind(out)):
        raise OutputError(f"{out} is a link that leads in a circle; remove it or choose another name")
    if os.path.exists(out):
        if os.path.exists(source) and out.samefile(source):
            raise OutputError(f"{out} is the input itself; choose another name")
        if not overwrite:
            raise OutputError(f"{out} exists; give -y to replace it")
        if not os.access(out, os.W_OK):
            raise OutputError(f"{out} is write-protected; change its permissions or choose another name")


def check_space(out: Path, needed: int) -> None:
    """Raise OutputError if the disk of OUT has less than ``needed`` bytes free."""
    folder = out.absolute().parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"{folder} has {_size(free)} free, and {out.name} needs about {_size(needed)} while it is "
            "written; make room or choose another folder"
        )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def display_name(out: Path) -> str:
    """OUT's name in messages."""
    return "standard output" if out == STDOUT else out.name


def partial_path(out: Path) -> Path:
    """The hidden name under which OUT is written until it is complete."""
    return out.with_name(fitting_name(f".{out.stem}", f".partial{out.suffix}", out.parent))


def fitting_name(stem: str, ending: str, folder: Path) -> str:
    """``stem + ending``; if that is too long for the name of a file in ``folder``, the stem is cut and a hash
    of the whole name is added, so that the same name always results in the same file."""
    name, longest = stem + ending, _longest_name(folder)
    if len(os.fsencode(name)) <= longest:
        return name
    ending = f"-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}" + (ending if len(ending) < 40 else "")
    room = longest - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode("utf-8", "ignore") + ending


def _longest_name(folder: Path) -> int:
    """Bytes of the longest name that a folder's file system allows: 143 if it is encrypted by eCryptfs."""
    with suppress(OSError, AttributeError, ValueError):  # Windows has no such function
        return min(_LONGEST_NAME, os.pathconf(folder, "PC_NAME_MAX"))
    return _LONGEST_NAME


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn errors that occur while OUT is written into OutputError."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = display_name(out) if out == STDOUT else out
        raise OutputError(
            f"{name} cannot be written: {reason}", repeats=isinstance(error, _REFUSALS)
        ) from error


@contextmanager
def new_file(out: Path) -> Iterator[Path]:
    """The path under which to write a file that becomes ``out``, or what that links to, once it is complete;
    after an error it is removed. Raises OutputError."""
    file = file_behind(out)
    partial = partial_path(file)
    try:
        with writing(file):
            yield partial
            make_durable(partial, file)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def once_complete(out: Path) -> Iterator[None]:
    """What is written when OUT is complete: an error of it, or its interruption, also says that OUT is."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"{out} is complete")
        raise


def make_durable(partial: Path, out: Path, *, replaces: bool = True) -> None:
    """Rename a finished file to ``out``, after its content is safely on the disk, so that a power cut leaves
    either the old file or the complete new one; some network and shared folders cannot promise that of the
    name. It gets the permissions of the file that it replaces. Unless it ``replaces`` one, raises OutputError
    if there is one."""
    with suppress(FileNotFoundError):
        shutil.copymode(out, partial)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    if replaces:
        os.replace(partial, out)
    else:
        _name_new(partial, out)
    if os.name == "posix":
        with suppress(OSError):
            folder = os.open(out.absolute().parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _name_new(partial: Path, out: Path) -> None:
    """Rename ``partial`` to ``out``, which must not exist. Raises OutputError."""
    try:
        os.link(partial, out)  # unlike a renaming, it never replaces a file
    except OSError as error:
        if isinstance(error, FileExistsError) or os.path.lexists(out):
            raise OutputError(
                f"{out} has appeared while it was made; move it, or give -y to replace it, and run again"
            ) from None
        os.replace(partial, out)  # on a file system without links
    else:
        partial.unlink()
