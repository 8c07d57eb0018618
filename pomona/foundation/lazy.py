"""Lazy packages (PEP 562): a name is imported when it is first asked for."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy(
    package: str, names: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`(__getattr__, __dir__, __all__)` for a package whose public `names` map to the modules that hold them.

    A module name is relative to `package` unless it starts at the root of the house. A name that its module
    does not have, but is called like, is the module itself.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module_name = names[name]
        absolute = module_name if module_name.startswith("pomona.") else f"{package}.{module_name}"
        module = importlib.import_module(absolute)
        value = (
            module
            if module_name.rpartition(".")[2] == name and not hasattr(module, name)
            else getattr(module, name)
        )
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted(names)

    return __getattr__, __dir__, list(names)
