"""All strategies by name."""

from pomona.fit.trials.strategies.beam import beam
from pomona.fit.trials.strategies.evolution import evolution
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.strategy import Strategy
from pomona.fit.trials.strategies.tpe import tpe

METHODS: dict[str, Strategy] = {
    "random": random_search,
    "evolve": evolution,
    "beam": beam,
    "tpe": tpe,
}
