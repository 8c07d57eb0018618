from dataclasses import dataclass

import pytest

from pomona.foundation.errors import SettingError
from pomona.foundation.keywords import split_keywords


@dataclass(frozen=True)
class First:
    steps: int = 3
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Second:
    seed: int = 0


def test_keywords_go_to_the_class_that_has_them():
    assert split_keywords({"seed": 5, "names": "a"}, First, Second) == (First(names=("a",)), Second(5))
    assert split_keywords({"names": ["a", "b"]}, First) == (First(names=("a", "b")),)


def test_an_unknown_keyword_gets_the_nearest_one():
    with pytest.raises(SettingError, match="did you mean 'steps'"):
        split_keywords({"step": 1}, First, Second)
