"""What a forecaster remembers of the series it was made with, and how new data go on from there."""

from dataclasses import replace

import numpy as np

from pomona.find.forecasting.problem import Panel, histories

FEWEST_STEPS = 400


def remembered(panel: Panel) -> Panel:
    """The last steps of each series: enough for lags, seasons and windows."""
    longest = max(panel.freq.seasons, default=1)
    number = max(FEWEST_STEPS, 5 * longest + 2 * panel.horizon)
    start = np.maximum(panel.start, panel.ends - number)
    lengths = panel.ends - start
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    last = replace(panel, start=start, offsets=offsets, values=np.full(int(offsets[-1]), np.nan, np.float32))
    _put(last.values, last.offsets, last.start, panel.values, panel.offsets, panel.start)
    known = {}
    for name, column in panel.known.items():
        known[name] = np.full(int(last.known_offsets[-1]), np.nan, np.float32)
        _put(known[name], last.known_offsets, start, column, panel.known_offsets, panel.start)
    return replace(last, known=known)


def joined(old: Panel, new: Panel, position: np.ndarray) -> Panel:
    """New data with what is remembered of the same series before them; `position` is −1 for a new series.

    A series without new values goes on from where it was remembered; one with values ends with them.
    """
    is_old = position >= 0
    place = np.where(is_old, position, 0)
    none = np.iinfo(np.int64).max
    start = np.minimum(new.start, np.where(is_old, old.start[place], none) if old.num_series else none)
    stays = (new.lengths == 0) & is_old
    ends = np.where(stays, old.ends[place] if old.num_series else 0, new.ends)
    start = np.minimum(start, ends)
    offsets = np.concatenate([[0], np.cumsum(ends - start)]).astype(np.int64)
    values = np.full(int(offsets[-1]), np.nan, np.float32)
    whole = replace(new, start=start, offsets=offsets, values=values, position=position)
    rows = np.flatnonzero(is_old)
    _put(values, offsets, start, old.values, old.offsets, old.start, rows, position[rows])
    _put(values, offsets, start, new.values, new.offsets, new.start)
    known = {}
    for name, column in new.known.items():
        known[name] = np.full(int(whole.known_offsets[-1]), np.nan, np.float32)
        if name in old.known:
            own = old.known[name]
            _put(
                known[name],
                whole.known_offsets,
                start,
                own,
                old.known_offsets,
                old.start,
                rows,
                position[rows],
            )
        _put(known[name], whole.known_offsets, start, column, new.known_offsets, new.start)
    return histories(replace(whole, known=known), ends)


def _put(
    into: np.ndarray,
    into_offsets: np.ndarray,
    into_start: np.ndarray,
    column: np.ndarray,
    offsets: np.ndarray,
    start: np.ndarray,
    rows: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> None:
    """Writes series `source` of a column over series `rows` of another, step by step; NaN writes nothing."""
    rows = np.arange(len(into_start)) if rows is None else rows
    source = rows if source is None else source
    lengths = np.diff(offsets)[source]
    owner = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    taken = column[offsets[:-1][source][owner] + within]
    place = within + (start[source] - into_start[rows])[owner]
    fits = (place >= 0) & (place < np.diff(into_offsets)[rows][owner]) & ~np.isnan(taken)
    into[(into_offsets[:-1][rows][owner] + place)[fits]] = taken[fits]
