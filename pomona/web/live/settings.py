"""Where the live page is served, to how many, and what one client may ask of this machine."""

from dataclasses import dataclass
from pathlib import Path

from pomona.foundation.errors import SettingError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""What this machine calls itself; only its own programs reach it under these names."""


@dataclass(frozen=True)
class LiveSettings:
    """Settings of the server."""

    host: str = "127.0.0.1"
    """The address to listen on. Any but this machine's own makes a token that every visitor must know."""

    port: int = 8765
    """The port to listen on; 0 takes a free one."""

    clients: int = 4
    """The most pages that are served at once; each has its own models in memory."""

    seconds: float | None = None
    """Stop after so long; otherwise at Ctrl-C."""

    out: Path | None = None
    """The folder that keeps recordings; otherwise they are gone when the server stops."""

    certificate: Path | None = None
    """A PEM file: serve https, without which browsers open no camera for a page from another machine."""

    key: Path | None = None
    """The certificate's private key, where it is in a file of its own."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingError(f"port must be between 0 and 65535, got {self.port}")
        if self.clients < 1:
            raise SettingError(f"clients must be at least 1, got {self.clients}")
        if self.seconds is not None and not self.seconds > 0:
            raise SettingError(f"seconds must be above 0, got {self.seconds}")
        if self.key is not None and self.certificate is None:
            raise SettingError("key goes with certificate: give both files")
        for name in ("certificate", "key"):
            path = getattr(self, name)
            if path is not None and not Path(path).is_file():
                raise SettingError(f"{name} wants a PEM file, got {path}, which is none")

    @property
    def is_loopback(self) -> bool:
        """True when only programs on this machine can reach the server."""
        return self.host in LOOPBACK_NAMES


@dataclass(frozen=True)
class Limits:
    """What one client may ask for. The page stays far below; a flood is cut off."""

    message_bytes: int = 1 << 20
    """The longest message; a longer one ends the connection with code 1009."""

    command_bytes: int = 4096
    """The longest text message."""

    longest_side: int = 1280
    """The most pixels of a frame's width or height."""

    frames_per_s: float = 60
    """The most frames that are looked at a second; of more, the newest."""

    messages_per_s: float = 240
    """More messages than so many a second, for a second, end the connection with code 1008."""

    bytes_per_s: float = 24e6
    """More bytes than so many a second, for a second, end the connection with code 1008."""

    people: int = 6
    """The most people to follow."""

    idle_s: float = 60
    """A client that sends nothing for so long gives up its place."""

    send_s: float = 5
    """A client that takes no answer for so long gives up its place."""

    recording_frames: int = 36_000
    """The longest recording: twenty minutes at thirty frames a second."""

    recordings: int = 16
    """The most recordings that are kept; the oldest makes room."""
