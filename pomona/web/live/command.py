"""`pomona live` as a function: opens the port, says where, serves until it is told to stop."""

import contextlib
import secrets
import signal
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

from pomona.foundation.console import Console
from pomona.foundation.errors import MissingExtraError, SettingError
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.settings import Limits, LiveSettings

if TYPE_CHECKING:
    import uvicorn

STUCK_S = 20
"""How long the system keeps a connection whose other end takes nothing."""


def live_command(
    settings: LiveSettings, holistic: HolisticSettings, *, limits: Limits | None = None, console: Console
) -> dict[str, Any]:
    """Serves the live page; returns what was done once it is stopped, by Ctrl-C or after `settings.seconds`.

    The models are loaded once before the first page comes, so that whatever they lack is said here.
    """
    try:
        import uvicorn
        import websockets  # noqa: F401
        from fastapi import FastAPI  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(error.name or "fastapi", "web") from error
    from pomona.perceive.holistic.holistic import Holistic
    from pomona.web.live.app import make_app
    from pomona.web.live.house import House
    from pomona.web.live.memory import give_back_memory

    limits = limits or Limits()
    if holistic.people > limits.people:
        raise SettingError(f"people must be at most {limits.people} here, got {holistic.people}")
    token = None if settings.is_loopback else secrets.token_urlsafe(18)
    with open_port(settings) as listener:
        Holistic(holistic).close()
        give_back_memory()
        house = House(settings, holistic, make_holistic=Holistic, token=token, limits=limits)
        address = _address(settings, listener.getsockname()[1], token)
        server = uvicorn.Server(server_config(make_app(house), settings, limits))
        _announce(console, settings, address)
        _serve(server, listener, settings.seconds)
    return {"address": address, **house.summary()}


def server_config(app: Any, settings: LiveSettings, limits: Limits) -> "uvicorn.Config":
    """How uvicorn is to run: messages bounded, nothing unpacked, nothing logged but errors.

    Raises SettingError when certificate and key do not serve.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,
        limit_concurrency=64 + settings.clients,
        timeout_graceful_shutdown=3,
        log_level="error",
        access_log=False,
        server_header=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    try:
        config.load()
    except ssl.SSLError as error:
        raise SettingError(
            f"{settings.certificate} is no certificate with its key, in PEM: {error.reason or error}"
        ) from error
    return config


def open_port(settings: LiveSettings) -> socket.socket:
    """A listening socket. Raises SettingError when the address or the port cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise SettingError(
            f"cannot listen on {settings.host}, port {settings.port}: {reason}; choose another --port"
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_S * 1000)
    return listener


def _serve(server: "uvicorn.Server", listener: socket.socket, seconds: float | None) -> None:
    def stop() -> None:
        server.should_exit = True

    timer = threading.Timer(seconds or 0, stop)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    # uvicorn stops in good order at a signal, and raises it once more afterwards
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run([listener])
    finally:
        timer.cancel()
        signal.signal(signal.SIGTERM, before)


def _address(settings: LiveSettings, port: int, token: str | None) -> str:
    host = settings.host
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    scheme = "https" if settings.certificate else "http"
    place = f"[{host}]" if ":" in host else host
    # browsers do not send what stands behind the hash: no log and no neighbour sees the token
    return f"{scheme}://{place}:{port}/" + (f"#token={token}" if token else "")


def _announce(console: Console, settings: LiveSettings, address: str) -> None:
    console.line(f"live at {address}  (Ctrl-C stops)")
    if not settings.is_loopback and settings.certificate is None:
        console.line(
            "browsers open the camera only over https or on this machine: give --certificate, or use "
            f"`ssh -L {settings.port}:localhost:{settings.port}` and --host localhost"
        )
