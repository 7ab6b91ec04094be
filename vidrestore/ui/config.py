"""What a server of the page is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Names under which a browser on the same machine reaches a server that is bound to it.
LOCAL = ("localhost", "127.0.0.1", "::1")
#: Pixels of the largest frame that is accepted, and of the largest picture that is made.
MOST_PIXELS = 16384 * 8192


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the page is served, and what visitors may do."""

    folder: Path  #: where the queue, uploads and results are
    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None  #: user and password that every request must give
    token: str | None = None  #: a secret in the first address, in place of ``auth``
    opened: tuple[Path, ...] = ()  #: folders whose files may be worked on in place
    most_bytes: int = 8 * 10**9  #: that the uploads of one visitor may take together

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the page."""
        return self.host in LOCAL

    @property
    def address(self) -> str:
        """The address to open in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        secret = f"?token={self.token}" if self.token else ""
        return f"http://{host}:{self.port}/{secret}"
