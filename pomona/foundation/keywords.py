"""Keyword arguments of Python calls sorted into the settings dataclasses that know them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pomona.foundation.errors import unknown_name


def split_keywords(keywords: Mapping[str, Any], *kinds: type) -> tuple[Any, ...]:
    """One instance of each dataclass, made from the keywords that are its fields.

    A single value for a field that holds several is taken as one of them. Raises SettingError for a keyword
    that none of them has.
    """
    known = {field.name: field for kind in kinds for field in fields(kind)}
    for name in keywords:
        if name not in known:
            raise unknown_name("setting", name, known)
    return tuple(
        kind(**{f.name: _several(keywords[f.name], f.default) for f in fields(kind) if f.name in keywords})
        for kind in kinds
    )


def _several(value: Any, default: Any) -> Any:
    if not isinstance(default, tuple):
        return value
    return tuple(value) if isinstance(value, tuple | list) else (value,)
