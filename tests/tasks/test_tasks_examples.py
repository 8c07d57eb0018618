import doctest
import importlib
from pathlib import Path

import pytest

import pomona.tasks

FOLDER = Path(pomona.tasks.__file__).parent
MODULES = [
    ".".join(["pomona", "tasks", *path.relative_to(FOLDER).with_suffix("").parts])
    for path in sorted(FOLDER.rglob("*.py"))
    if ">>>" in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
