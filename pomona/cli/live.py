"""`pomona live`: landmarks over the picture of the webcam, in a browser."""

from typing import Annotated

from pomona.cli.options import Flat, Json
from pomona.cli.output import answer, rows
from pomona.cli.perceive import Holistic
from pomona.foundation.console import Console
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.settings import LiveSettings

_SERVER, _HOLISTIC = LiveSettings(), HolisticSettings()


def live(
    *,
    server: Annotated[LiveSettings, Flat] = _SERVER,
    holistic: Holistic = _HOLISTIC,
    json: Json = False,
) -> None:
    """Open a page that draws pose, hands and face over the picture of your camera.

    The flags for parts and models are what a page starts with; each page can change its own.
    """
    with answer(as_json=json) as reply:
        from pomona.web.live.command import live_command

        done = live_command(server, holistic, console=Console())
        table = [
            ("clients", "frames", "dropped", "recordings", "seconds"),
            (done["clients"], done["frames"], done["drops"], done["recordings"], done["seconds"]),
        ]
        stages = [("stage", "median ms"), *done["stage_ms"].items()]
        reply.give(done, rows(table) + (rows(stages) if done["stage_ms"] else []))
