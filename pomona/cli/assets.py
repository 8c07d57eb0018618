"""`pomona assets`: data and weights that are fetched when they are needed."""

from typing import Literal

from pomona.cli.options import Json
from pomona.cli.output import answer, rows
from pomona.foundation.console import Console


def assets(
    action: Literal["list", "fetch", "verify", "licences"] = "list",
    name: tuple[str, ...] = (),
    /,
    *,
    json: Json = False,
) -> None:
    """List, fetch and verify data and weights; show their licences.

    Parameters
    ----------
    action
        What to do. `fetch` and `verify` take names; without one, `verify` takes all that are here.
    name
        Names of assets, as `pomona assets` lists them, or of whole groups: `mediapipe` is all of mediapipe/.
    """
    with answer(as_json=json) as reply:
        from pomona.foundation.assets import catalogue, fetch, named, status, verify
        from pomona.foundation.errors import SettingError

        known = catalogue()
        name = named(*name)
        if action == "fetch":
            if not name:
                raise SettingError("fetch wants the name of an asset: see `pomona assets list`")
            line = Console().line
            paths = {asset: str(fetch(asset, progress=line)) for asset in name}
            reply.give({"fetched": paths}, [f"{asset}  {path}" for asset, path in paths.items()])
            return
        if action == "verify":
            chosen = name or tuple(asset for asset in known if status(asset) != "absent")
            for asset in chosen:
                verify(asset)
            reply.give({"verified": list(chosen)}, [f"{asset}  as it should be" for asset in chosen])
            return
        shown = [known[asset] for asset in name or known]
        listed = [
            {
                "name": asset.name,
                "status": status(asset.name),
                "size_bytes": asset.size_bytes,
                "licence": asset.licence,
                "what": asset.what,
                "conditions": asset.conditions,
            }
            for asset in shown
        ]
        columns = (
            ("name", "licence", "conditions")
            if action == "licences"
            else ("name", "status", "size_bytes", "what")
        )
        reply.give({"assets": listed}, rows([columns, *(tuple(a[c] for c in columns) for a in listed)]))
