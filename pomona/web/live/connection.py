"""One WebSocket: what comes in goes to the session, what the session answers goes out."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple

from pomona.foundation.errors import SettingError
from pomona.web.live.allowance import Allowance
from pomona.web.live.house import BusyError, House
from pomona.web.live.protocol import (
    CLOSE_BUSY,
    CLOSE_IDLE,
    CLOSE_RATE,
    CLOSE_SIZE,
    read_command,
    read_frame,
    write_notice,
)
from pomona.web.live.session import Session
from pomona.web.live.settings import Limits

if TYPE_CHECKING:
    from fastapi import WebSocket


class Farewell(NamedTuple):
    """Why the server ends a connection."""

    code: int
    reason: str


async def serve_client(socket: "WebSocket", house: House) -> None:
    """Serves an accepted connection until it ends, for whatever reason."""
    try:
        session = house.enter()
    except BusyError as error:
        await _close(socket, Farewell(CLOSE_BUSY, str(error)))
        return
    ways = [
        asyncio.create_task(_receive(socket, session, house.limits)),
        asyncio.create_task(_send(socket, session, house)),
    ]
    farewell: Farewell | None = None
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        farewell = done.pop().result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        if farewell is not None:
            await _close(socket, farewell)
        await house.leave(session)


async def _receive(socket: "WebSocket", session: Session, limits: Limits) -> Farewell | None:
    messages, volume = Allowance(limits.messages_per_s), Allowance(limits.bytes_per_s)
    while True:
        try:
            async with asyncio.timeout(limits.idle_s):
                message = await socket.receive()
        except TimeoutError:
            return Farewell(CLOSE_IDLE, f"nothing came for {limits.idle_s:g} seconds")
        if message["type"] == "websocket.disconnect":
            return None
        content, text = message.get("bytes"), message.get("text")
        size = len(content if content is not None else text or "")
        if size > limits.message_bytes:
            return Farewell(CLOSE_SIZE, f"a message may have {limits.message_bytes} bytes")
        if not (messages.take() and volume.take(size)):
            return Farewell(
                CLOSE_RATE, f"more than {limits.messages_per_s:g} messages a second, or too large"
            )
        try:
            if content is not None:
                session.offer(read_frame(content))
            else:
                session.wish(read_command(text or "", limits))
        except SettingError as error:
            if not await _deliver(socket, write_notice("error", message=str(error)), limits):
                return None


async def _send(socket: "WebSocket", session: Session, house: House) -> Farewell | None:
    clock = asyncio.get_running_loop().time
    if not await _deliver(socket, write_notice("ready"), house.limits):
        return None
    while True:
        work = await session.next_work()
        started = clock()
        for reply in await house.pool.run(session, work):
            if not await _deliver(socket, reply, house.limits):
                return None
        await asyncio.sleep(max(0.0, started + 1 / house.limits.frames_per_s - clock()))


async def _deliver(socket: "WebSocket", message: bytes | str, limits: Limits) -> bool:
    """False when the client is gone, or takes nothing any more."""
    from fastapi import WebSocketDisconnect

    try:
        async with asyncio.timeout(limits.send_s):
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        return False
    return True


async def _close(socket: "WebSocket", farewell: Farewell) -> None:
    with contextlib.suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(1):
            await socket.close(farewell.code, farewell.reason)
