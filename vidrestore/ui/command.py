"""``vidrestore ui``: starts the server of the page."""

from __future__ import annotations

import argparse
import logging
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from ..cli_parser import Parser
from ..errors import InputError, OutputError, UsageError
from ..option_types import size
from ..runtime.lock import hold
from .config import Config

log = logging.getLogger("vidrestore")


def ui_command(argv: list[str]) -> int:
    """Serve the page until it is interrupted. Raises VidrestoreError."""
    config = parse(argv)
    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise UsageError(f'the page needs {missing[0]}; install it with: pip install "vidrestore[ui]"')
    import uvicorn

    from .app import make_app

    with listen(config) as address, _held(config.folder):
        app, _ = make_app(config)
        log.info("the page is at %s; end with Ctrl-C", config.address)
        # No access log: addresses may hold the token. What proxies say of who asks is not believed.
        serving = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        uvicorn.Server(serving).run(sockets=[address])
    return 0


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder of a server, which no other one has. Raises OutputError or UsageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = hold(folder / "lock")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}; choose another --folder") from None
    if lock is None:
        raise UsageError(f"another server has {folder}; end it, or choose another --folder")
    with lock:
        yield


def listen(config: Config) -> socket.socket:
    """A socket at the address of the page. Raises UsageError if it cannot be had."""
    try:
        family, *_, address = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except OSError as error:
        raise UsageError(
            f"{config.host} cannot be listened on at port {config.port}: {error.strerror}; choose another "
            "--port or --host"
        ) from None


def parse(argv: list[str]) -> Config:
    """What the arguments say. Raises UsageError, or InputError for a folder that is not there."""
    args = ui_parser().parse_args(argv)
    config = Config(
        folder=args.folder.absolute(),
        host=args.host,
        port=args.port,
        auth=args.auth,
        opened=tuple(args.open),
        most_bytes=args.max_upload,
    )
    for folder in config.opened:
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; --open needs one")
    if not config.is_local and config.auth is None:
        return Config(**{**vars(config), "token": secrets.token_urlsafe(24)})
    return config


def ui_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore ui``."""
    parser = Parser(
        prog="vidrestore ui",
        description="Serve a page on which videos and photos are restored: in a browser, or over HTTP.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, this machine only); with another one a secret token "
        "is printed, unless --auth is given",
    )
    parser.add_argument("--port", metavar="N", type=_port, default=7860, help="port (default: 7860)")
    parser.add_argument("--auth", metavar="USER:PASSWORD", type=_auth, help="what visitors must give")
    parser.add_argument(
        "--open",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="let visitors work on the files in FOLDER where they are; results are written beside them; "
        "repeatable",
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        type=Path,
        default=Path(platformdirs.user_data_dir("vidrestore", appauthor=False)) / "page",
        help="where the queue, uploads and results are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--max-upload",
        metavar="SIZE",
        type=_bytes,
        default=8 * 10**9,
        help="what the uploads of one visitor may take together, such as 500MB (default: 8GB)",
    )
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _auth(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("it must be USER:PASSWORD")
    return user, password


def _bytes(text: str) -> int:
    try:
        found = size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not found:
        raise argparse.ArgumentTypeError("a limit is needed, such as 8GB")
    return found
