import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_page_of_results_is_what_is_recorded():
    script = ROOT / "benchmarks" / "results_page.py"
    if not script.exists():
        pytest.skip("Pomona is installed without its repository")
    assert (ROOT / "docs" / "RESULTS.md").read_text(encoding="utf-8") == runpy.run_path(str(script))["page"]()
