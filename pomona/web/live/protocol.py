"""What page and server say to each other over the WebSocket.

A frame (page → server, binary, little-endian): uint8 1, uint8 version, uint16 0, uint32 number,
float64 time in seconds; then a baseline JPEG.

A result (server → page, binary, little-endian): uint8 2, uint8 version, uint16 0, uint32 length of the JSON
text; the text, padded with spaces to a multiple of four bytes; float32 landmarks; uint8 masks. The text says
where each person's arrays are: `"pose": [offset, rows, columns]`, offsets in bytes from the end of the text.

A command (page → server, text): {"type": "settings", "settings": {…}} or {"type": "record", "on": true}.
A notice (server → page, text): {"type": "ready" | "settings" | "recording" | "error", …}.
"""

import json
import math
import struct
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from pomona.foundation.errors import SettingError
from pomona.foundation.files import to_json
from pomona.perceive.holistic.record import PART_NAMES, Observation
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.settings import Limits

VERSION = 1
SUBPROTOCOL = "pomona-live"

FRAME, RESULT = 1, 2
_FRAME_HEADER = struct.Struct("<BBHId")
_RESULT_HEADER = struct.Struct("<BBHI")
_MASK_SIDE = 192

CLOSE_RATE = 1008
CLOSE_SIZE = 1009
CLOSE_IDLE = 4000
CLOSE_BUSY = 4001


@dataclass(frozen=True)
class Frame:
    """One picture as the page sent it; `time_s` is when the camera took it, by the page's clock."""

    number: int
    time_s: float
    jpeg: bytes


@dataclass(frozen=True)
class Record:
    """The wish to start or to end a recording."""

    on: bool


def read_frame(message: bytes) -> Frame:
    """The frame in a binary message. Raises SettingError when it holds none."""
    if len(message) < _FRAME_HEADER.size:
        raise SettingError(f"a frame has a header of {_FRAME_HEADER.size} bytes, got {len(message)}")
    kind, version, _, number, time_s = _FRAME_HEADER.unpack_from(message)
    if (kind, version) != (FRAME, VERSION):
        raise SettingError(f"a frame starts with {FRAME}, {VERSION}, got {kind}, {version}: reload the page")
    if not math.isfinite(time_s):
        raise SettingError(f"a frame's time is a finite number of seconds, got {time_s}")
    return Frame(number, time_s, message[_FRAME_HEADER.size :])


def read_command(text: str, limits: Limits) -> HolisticSettings | Record:
    """The command in a text message. Raises SettingError for any other text."""
    if len(text) > limits.command_bytes:
        raise SettingError(f"a command has at most {limits.command_bytes} characters, got {len(text)}")
    try:
        command = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingError("a command is a JSON object, got something else") from None
    match command:
        case {"type": "record", "on": bool(on)}:
            return Record(on)
        case {"type": "settings", "settings": dict(values)}:
            return _settings(values, limits)
    raise SettingError("a command is of type settings or record, got something else")


def write_result(observation: Observation, number: int, facts: dict[str, Any]) -> bytes:
    """The binary message for one observation of frame `number`; `facts` join the JSON text."""
    arrays: list[np.ndarray] = []
    size = 0

    def place(array: np.ndarray) -> list[int]:
        nonlocal size
        start = size
        arrays.append(array)
        size += array.nbytes
        return [start, *array.shape]

    people: list[dict[str, Any]] = [
        {"person": person.person, "score": float(person.score)} for person in observation
    ]
    for shown, person in zip(people, observation, strict=True):
        for name in PART_NAMES:
            points = getattr(person, name)
            if points is not None:
                shown[name] = place(np.ascontiguousarray(points, np.float32))
    # bytes come after all floats, which must lie on multiples of four
    for shown, person in zip(people, observation, strict=True):
        if person.mask is not None:
            shown["mask"] = place(_small(person.mask))
    text = to_json(
        {
            "frame": number,
            "width": observation.width,
            "height": observation.height,
            "stage_ms": dict(observation.stage_ms),
            "people": people,
            **facts,
        }
    ).encode()
    text += b" " * (-len(text) % 4)
    header = _RESULT_HEADER.pack(RESULT, VERSION, 0, len(text))
    return b"".join([header, text, *(array.tobytes() for array in arrays)])


def write_notice(kind: str, **facts: Any) -> str:
    """A text message for the page."""
    return to_json({"type": kind, **facts})


def _settings(values: dict[str, Any], limits: Limits) -> HolisticSettings:
    from pydantic import TypeAdapter, ValidationError

    known = [field.name for field in fields(HolisticSettings)]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise SettingError(f"no setting {unknown[0]!r}; known: {', '.join(known)}")
    try:
        settings = TypeAdapter(HolisticSettings).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0] if first["loc"] else "settings"
        raise SettingError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
    if settings.people > limits.people:
        raise SettingError(f"people must be at most {limits.people} here, got {settings.people}")
    return settings


def _small(mask: np.ndarray) -> np.ndarray:
    """The mask on a grid that is no larger than needed to tint a picture with it."""
    step = max(1, math.ceil(max(mask.shape) / _MASK_SIDE))
    return np.ascontiguousarray(mask[step // 2 :: step, step // 2 :: step], np.uint8)
