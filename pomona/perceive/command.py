"""`perceive` as a command: a picture, video, folder, camera or pipe in, a run folder with landmarks out."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.files import write_json
from pomona.foundation.keywords import split_keywords
from pomona.foundation.run import Run
from pomona.foundation.run_folder import default_folder
from pomona.perceive.fingerprint import source_fingerprint
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.recorder import Drawn, Recorder
from pomona.perceive.settings import PerceiveSettings
from pomona.perceive.video import FrameSource, open_frames
from pomona.perceive.video.frame import legible
from pomona.perceive.watch import Place, watch

FILES = ("landmarks", "video")
"""Entries of the result that name files: stored relative to the run's folder, so that it can be moved."""

DRAWN: dict[str, Drawn] = {"image": "picture", "folder": "pictures"}
"""How sources are drawn that are no videos."""


def perceive(source: str | Path, **keywords: Any) -> dict[str, Any]:
    """Landmarks of everyone in a picture, video, folder, camera or pipe: the same as `pomona perceive`.

    Keywords are the fields of HolisticSettings, PerceiveSettings and CommandOptions. Returns what `--json`
    prints. Raises InputError when one of them is wrong.

    >>> result = perceive("dance.mp4", people=2, draw=True)  # doctest: +SKIP
    >>> table = pyarrow.parquet.read_table(result["landmarks"])  # doctest: +SKIP
    """
    kinds = (HolisticSettings, PerceiveSettings, CommandOptions)
    holistic, settings, options = split_keywords(keywords, *kinds)
    return perceive_command(str(source), holistic, settings, options=options)


def perceive_command(
    source: str, holistic: HolisticSettings, settings: PerceiveSettings, *, options: CommandOptions
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    if options.device not in ("auto", "cpu"):
        raise SettingError(f"perceive runs on the cpu, got --device {options.device}")
    with open_frames(source, every=settings.every) as frames:
        if frames.kind == "image" or (frames.kind == "folder" and not settings.sequence):
            holistic = replace(holistic, still=True)
        identity = {**asdict(holistic), **asdict(settings), "source": _identity(source, frames)}
        subject = legible(source)
        folder = options.out or default_folder("perceive", subject, options.seed, identity)

        def method(run: Run) -> dict[str, Any]:
            return _look(source, frames, holistic, settings, run)

        result = carry_out(
            method,
            verb="perceive",
            subject=subject,
            identity=identity,
            options=replace(options, out=folder),
            seconds=settings.seconds,
        )
    return {k: str(Path(folder) / v) if k in FILES and v else v for k, v in result.items()}


def draw_graph(holistic: HolisticSettings, path: Path) -> dict[str, Any]:
    """Draws the stages that find people, as an SVG picture at `path`."""
    from pomona.perceive.graph import draw
    from pomona.perceive.holistic.pipeline import holistic_graph

    if path.suffix.lower() != ".svg":
        raise SettingError(f"the graph is drawn as SVG: give a name that ends in .svg, got {path}")
    graph = holistic_graph(holistic)
    draw(graph, path)
    return {"graph": str(path), "stages": [stage.name for stage in graph.stages]}


def _identity(source: str, frames: FrameSource) -> Any:
    """What a run is of. A camera or pipe never shows the same again: each run of it is another."""
    if frames.is_live:
        return {"started_ns": time.time_ns()}
    return source_fingerprint(Path(source).expanduser())


def _look(
    source: str, frames: FrameSource, holistic: HolisticSettings, settings: PerceiveSettings, run: Run
) -> dict[str, Any]:
    from pomona.perceive.holistic import Holistic

    place = Place.restore(run)
    rate = None if frames.rate is None else frames.rate / settings.every
    drawn = DRAWN.get(frames.kind, "video") if settings.draw else None
    recorder = Recorder(run.folder, drawn=drawn, mask=holistic.mask, parts=holistic.parts, rate=rate)
    if place.next_frame:
        run.console.line(f"going on at frame {place.next_frame}; people are followed anew from there")
        frames.close()
        frames = open_frames(source, every=settings.every, start=place.next_frame)
    with frames, Holistic(holistic, threads=run.threads) as finder:
        if not place.is_joined:
            watch(frames, finder, recorder, place, every=settings.every, run=run)
            if not frames.is_live:
                run.check_interrupt()
        stage_ms = {name: times.median_ms for name, times in finder.timings().items() if times.count}
    # Ctrl-C is how a camera is turned off: its run is then finished, not interrupted
    run.clock.interrupted = False
    _finish_files(recorder, place, frames.name, run)
    place.remarks += _write_formats(run.folder / "landmarks.parquet", settings.formats)
    drawing = recorder.drawing
    result = {
        **place.tally.summary(),
        "stage_ms": stage_ms,
        "landmarks": "landmarks.parquet",
        "video": None if drawing is None else drawing.name,
    }
    write_json(run.folder / "summary.json", {**result, **_facts(frames, place), "settings": asdict(holistic)})
    for line in [*place.remarks, *_first_failures(place.tally.failed)]:
        run.console.line(line)
    return result


def _finish_files(recorder: Recorder, place: Place, name: str, run: Run) -> None:
    tally = place.tally
    if not tally.frames and tally.failed:
        raise DataError(f"none of the frames of {name} can be used: {tally.failed[0][1]}")
    if not place.is_joined:
        recorder.join(place.parts)
        place.is_joined = True
        place.save(run)
    recorder.remove_parts()


def _write_formats(landmarks: Path, formats: Sequence[str]) -> list[str]:
    """Writes the formats; returns what could not be written, and why."""
    from pomona.perceive.formats import convert

    remarks = []
    for name in formats:
        try:
            convert(landmarks, name)
        except DataError as error:
            remarks.append(f"not written as {name}: {error}")
    return remarks


def _facts(frames: FrameSource, place: Place) -> dict[str, Any]:
    return {
        "source": frames.name,
        "kind": frames.kind,
        "width": frames.width,
        "height": frames.height,
        "rate": frames.rate,
        "dropped": frames.dropped,
        "failed": place.tally.failed,
        "remarks": place.remarks,
    }


def _first_failures(failed: list[tuple[int, str]]) -> list[str]:
    lines = [reason for _, reason in failed[:3]]
    return lines + ([f"… and {len(failed) - 3} more (see summary.json)"] if len(failed) > 3 else [])
