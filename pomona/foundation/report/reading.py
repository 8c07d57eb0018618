"""Reading a section: plain JSON in, checked items out; what is wrong is named by file, item and key."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_type_hints

from pomona.foundation.errors import ArtifactError, unknown_name
from pomona.foundation.files import to_json
from pomona.foundation.report.flaws import flaw
from pomona.foundation.report.items import ITEMS, Item, Section

# pydantic names the member of a union that it tried behind the keys; only the cells of a table are a union
UNION_MEMBERS = {"int", "float", "str", "bool"}
CELL = "a cell should be text, a number, true, false or null"


def check_section(plain: Any, file: str) -> Section:
    """The section that `plain` describes. An ArtifactError names `file`, the item (from 1) and the key."""
    if not isinstance(plain, Mapping):
        raise ArtifactError(f"{file} should hold one JSON object with title and items, got {_short(plain)}")
    unknown = sorted(set(plain) - {"title", "lead", "items"})
    if unknown:
        raise ArtifactError(f"{file} has the unknown key {unknown[0]!r}; a section has title, lead and items")
    title, lead, items = plain.get("title"), plain.get("lead") or "", plain.get("items")
    if not isinstance(title, str) or not title.strip():
        raise ArtifactError(f"{file} needs a title (some text), got {_short(title)}")
    if not isinstance(lead, str):
        raise ArtifactError(f"{file}: lead should be one paragraph of text, got {_short(lead)}")
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise ArtifactError(f"{file} needs items (a list), got {_short(items)}")
    return Section(
        title, lead, tuple(_check_item(item, f"{file}, item {i}") for i, item in enumerate(items, 1))
    )


def _check_item(plain: Any, place: str) -> Item:
    if not isinstance(plain, Mapping) or "kind" not in plain:
        raise ArtifactError(f"{place} should be an object with a kind, got {_short(plain)}")
    kind = plain["kind"]
    if kind not in ITEMS:
        raise ArtifactError(f"{place}: {unknown_name('kind of item', kind, ITEMS)}")
    place = f"{place} ({kind})"
    item = _typed(plain, kind, place)
    problem = flaw(item)
    if problem:
        raise ArtifactError(f"{place}: {problem}")
    return item


def _typed(plain: Mapping[str, Any], kind: str, place: str) -> Item:
    from pydantic import ValidationError

    try:
        # through JSON text, in which NaN is null and arrays may become tuples even under strict types
        return _adapter(kind).validate_json(to_json(plain), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    except (TypeError, UnicodeEncodeError) as error:
        raise ArtifactError(f"{place}: {error}") from error
    path = _path(first["loc"])
    if first["type"] in ("missing", "missing_argument"):
        raise ArtifactError(f"{place} lacks {path}")
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        raise ArtifactError(
            f"{place} has the unknown key {path}; known: {', '.join(_keys(kind, first['loc']))}"
        )
    wanted = CELL if first["loc"][-1] in UNION_MEMBERS else _lower(first["msg"])
    raise ArtifactError(f"{place}, {path}: {wanted}, got {_short(first['input'])}")


@cache
def _adapter(kind: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(ITEMS[kind])


def _keys(kind: str, location: tuple[int | str, ...]) -> list[str]:
    owner = ITEMS[kind]
    for key in location[:-1]:
        if isinstance(key, str) and key in get_type_hints(owner):
            owner = get_args(get_type_hints(owner)[key])[0]
    return [key for key in owner.__dataclass_fields__ if key != "kind"]


def _path(location: tuple[int | str, ...]) -> str:
    parts = [
        f"[{key}]" if isinstance(key, int) else f".{key}" for key in location if key not in UNION_MEMBERS
    ]
    return "".join(parts).lstrip(".")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
