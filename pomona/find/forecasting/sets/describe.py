"""What there is to say of the built-in sets of series; nothing is fetched."""

from dataclasses import asdict
from typing import Any

from pomona.find.forecasting.sets.table import SETS


def list_sets() -> list[dict[str, str]]:
    """Name and content of each set; `pomona forecast NAME` forecasts it."""
    return [{"name": name, "about": own.what} for name, own in SETS.items()]


def describe_set(name: str) -> dict[str, Any]:
    """What is forecast, how far, by which columns. `name` must be one of SETS."""
    own = SETS[name]
    columns = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(own.columns).items() if v}
    found = {"name": name, "about": own.what, "kind": "series", **columns, "horizon": own.horizon}
    hierarchy = {"hierarchy": own.hierarchy} if own.hierarchy else {}
    return {**found, **hierarchy, "command": f"pomona forecast {name}"}
