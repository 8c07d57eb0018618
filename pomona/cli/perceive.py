"""`pomona perceive`: landmarks of people in pictures, videos and camera streams."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter, convert

from pomona.cli.options import Json, Options
from pomona.cli.output import answer, rows
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import SettingError
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.settings import PerceiveSettings


def _split(kind: type, tokens: Any) -> Any:
    return convert(kind, [piece for token in tokens for piece in token.value.split(",")])


_several = Parameter(converter=_split, negative_iterable=())
Model = Group("What to find", default_parameter=_several)
Writing = Group("What to read and write", default_parameter=_several)
"""Flags of both groups take several values with commas between them: --parts pose,face."""

Source = Annotated[str | None, Parameter(allow_leading_hyphen=True)]
Holistic = Annotated[
    HolisticSettings,
    Parameter(name="*", group=Model, negative=None, negative_bool="no-"),
]
Settings = Annotated[PerceiveSettings, Parameter(name="*", group=Writing)]

_HOLISTIC, _SETTINGS = HolisticSettings(), PerceiveSettings()


def perceive(
    source: Source = None,
    /,
    *,
    holistic: Holistic = _HOLISTIC,
    settings: Settings = _SETTINGS,
    draw_graph: Path | None = None,
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Find the pose, hands and face of everyone in a picture, a video, a folder of pictures or a camera.

    Parameters
    ----------
    source
        A picture, a video, a folder of pictures, camera or camera:1, or - for what is piped in.
    draw_graph
        Only draw the stages that would run, as an SVG picture; --draw FILE.svg does the same.
    """
    if draw_graph is None and settings.draw and source is not None and source.lower().endswith(".svg"):
        draw_graph = Path(source)
    with answer(as_json=json) as reply:
        from pomona.perceive import command

        if draw_graph is not None:
            drawn = command.draw_graph(holistic, draw_graph)
            reply.give(drawn, [f"{len(drawn['stages'])} stages in {drawn['graph']}"])
            return
        if source is None:
            raise SettingError("perceive wants a picture, a video, a folder, camera, or - for a pipe")
        result = command.perceive_command(source, holistic, settings, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    speed = result["frames_per_second"]
    failed = f", {result['failed_frames']} left out" if result["failed_frames"] else ""
    table = [("part", "frames"), *((k, v["frames_present"]) for k, v in result["parts"].items())]
    lines = [
        f"{result['frames']} frames{failed}, people: {result['people']}, {result['seconds']:.1f} s"
        + (f", {speed:.1f} frames a second" if speed else ""),
        *rows(table),
        f"landmarks  {result['landmarks']}",
    ]
    return lines + ([f"drawn      {result['video']}"] if result["video"] else [])
