"""The web application: the page, its facts, recordings, and the WebSocket."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pomona.foundation.version import version
from pomona.perceive.holistic.settings import PARTS
from pomona.web.live.connection import serve_client
from pomona.web.live.house import House
from pomona.web.live.protocol import SUBPROTOCOL
from pomona.web.live.skeleton import skeleton

if TYPE_CHECKING:
    from fastapi import FastAPI

PAGE = Path(__file__).with_name("page")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob: mediastream:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def make_app(house: House) -> "FastAPI":
    """The application for one `house`, which it closes when it shuts down."""
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_guard(app, house)
    _add_answers(app, house)
    _add_socket(app, house)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _add_guard(app: "FastAPI", house: House) -> None:
    from fastapi import Request, Response
    from fastapi.responses import PlainTextResponse

    @app.middleware("http")
    async def guard(request: Request, follow: Any) -> Response:
        reason = house.access.refused_host(request.headers.get("host", ""))
        response = PlainTextResponse(reason, 403) if reason else await follow(request)
        response.headers.update(_HEADERS)
        return response


def _add_answers(app: "FastAPI", house: House) -> None:
    from fastapi import Request, Response
    from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse

    @app.get("/hello")
    async def hello(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        reason = house.access.refused_token(given)
        return JSONResponse({"message": reason}, 401) if reason else JSONResponse(_facts(house))

    @app.get("/skeleton")
    async def what_to_draw() -> Response:
        return JSONResponse(skeleton())

    @app.get("/recordings/{key}")
    async def recording(key: str) -> Response:
        path = house.recordings.find(key)
        if path is None:
            return PlainTextResponse("there is no such recording, or not any more", 404)
        return FileResponse(path, media_type="application/vnd.apache.parquet", filename=path.name)


def _add_socket(app: "FastAPI", house: House) -> None:
    from fastapi import WebSocket

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        if _refused(socket, house):
            await socket.close()  # before it is accepted, this is the answer 403
            return
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        await serve_client(socket, house)


def _refused(socket: Any, house: House) -> bool:
    host = socket.headers.get("host", "")
    tokens = [word.removeprefix("token.") for word in socket.scope["subprotocols"] if word != SUBPROTOCOL]
    reasons = (
        house.access.refused_host(host),
        house.access.refused_origin(host, socket.headers.get("origin")),
        house.access.refused_token(tokens[0] if tokens else ""),
    )
    return any(reasons)


def _facts(house: House) -> dict[str, Any]:
    limits = house.limits
    return {
        "version": version(),
        "settings": asdict(house.holistic),
        "parts": PARTS,
        "limits": {
            "longest_side": limits.longest_side,
            "frames_per_s": limits.frames_per_s,
            "people": limits.people,
            "message_bytes": limits.message_bytes,
        },
    }
