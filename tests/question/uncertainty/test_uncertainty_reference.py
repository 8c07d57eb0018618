"""The page on uncertainty says what the code has."""

from pathlib import Path

from pomona.question.uncertainty.reference import measures_table, methods_table

PAGE = (Path(__file__).parents[3] / "docs" / "uncertainty.md").read_text(encoding="utf-8")


def test_the_page_lists_every_method():
    assert methods_table() in PAGE


def test_the_page_lists_every_measure():
    assert measures_table("classify") in PAGE
    assert measures_table("regress") in PAGE
