"""Placements by known methods: every plan is checked against memory, and the better of two orders is kept."""

from collections.abc import Callable

import numpy as np

from pomona.compile.placement.baselines.layers import human_style
from pomona.compile.placement.baselines.metis import metis
from pomona.compile.placement.baselines.scheduled import heft, m_etf, m_sct
from pomona.compile.placement.baselines.simple import round_robin, single
from pomona.compile.placement.baselines.topological import topological
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem

BASELINES: dict[str, Callable[[Problem, np.random.Generator], Plan]] = {
    "single": single,
    "round-robin": round_robin,
    "topological": topological,
    "human-style": human_style,
    "metis": metis,
    "heft": heft,
    "m-etf": m_etf,
    "m-sct": m_sct,
}
