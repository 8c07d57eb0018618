"""Whose folder it is: the identity of a run, and the claim on its folder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.errors import RunError
from pomona.foundation.files import read_json, to_json, write_json

RUN_FILE, RESULT_FILE = "run.json", "result.json"


def run_header(verb: str, subject: str, seed: int, identity: Mapping[str, Any]) -> dict[str, Any]:
    """What makes two runs the same work, as plain data: verb, subject, seed, settings and data."""
    return {"verb": verb, "subject": subject, "seed": seed, "identity": json.loads(to_json(identity))}


def run_hash(header: Mapping[str, Any]) -> str:
    """Eight hex digits that name a run: of its verb, subject, seed, settings and data."""
    text = json.dumps({k: header[k] for k in ("verb", "subject", "seed", "identity")}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def default_folder(verb: str, subject: str, seed: int, identity: Mapping[str, Any]) -> Path:
    """runs/VERB-SUBJECT-HASH, below the current folder."""
    name = "".join(c if c.isalnum() or c in "._" else "-" for c in Path(subject).name)[:40].strip("-")
    return Path("runs") / f"{verb}-{name or 'data'}-{run_hash(run_header(verb, subject, seed, identity))}"


def claim_folder(folder: Path, header: Mapping[str, Any]) -> None:
    """Makes `folder` the run's, or raises RunError when it is another run's or holds something else."""
    if folder.is_file():
        raise RunError(f"{folder} is a file; --out wants a folder")
    path = folder / RUN_FILE
    if path.exists():
        _check_same(folder, path, header)
        return
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise RunError(f"{folder} holds other files and is no run: choose an empty or new folder with --out")
    write_json(path, {**header, "hash": run_hash(header), "status": "running"})


def _check_same(folder: Path, path: Path, header: Mapping[str, Any]) -> None:
    try:
        found = read_json(path)
        same = run_hash(found) == run_hash(header)
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"{path} is not readable as a run: remove {folder} or choose another --out") from None
    if not same:
        what = f"pomona {found['verb']} {found['subject']}"
        if (found["verb"], found["subject"]) == (header["verb"], header["subject"]):
            what += _differences(
                {**found["identity"], "seed": found["seed"]}, {**header["identity"], "seed": header["seed"]}
            )
        raise RunError(f"{folder} belongs to another run ({what}): choose another --out")


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    names = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
    shown = [
        f"{n} {found.get(n)} there, {wanted.get(n)} here" for n in names if not isinstance(found.get(n), dict)
    ]
    return "; " + ", ".join(shown[:3]) if shown else ""


def seconds_spent(folder: Path) -> float:
    """The seconds of work that the run's saved states know of."""
    states = (folder / "state").glob("*.json")
    return max((read_json(path).get("spent") or 0.0 for path in states), default=0.0)
