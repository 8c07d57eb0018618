"""All strategies by name."""

from pomona.fit.trials.strategies.beam import beam
from pomona.fit.trials.strategies.evolution import evolution
from pomona.fit.trials.strategies.harmonica import harmonica
from pomona.fit.trials.strategies.pareto import pareto
from pomona.fit.trials.strategies.random_search import random_search
from pomona.fit.trials.strategies.reinforce import reinforce
from pomona.fit.trials.strategies.released_beam import released_beam
from pomona.fit.trials.strategies.strategy import Strategy
from pomona.fit.trials.strategies.tpe import tpe

METHODS: dict[str, Strategy] = {
    "random": random_search,
    "evolve": evolution,
    "reinforce": reinforce,
    "released-beam": released_beam,
    "harmonica": harmonica,
    "tpe": tpe,
    "beam": beam,
    "pareto": pareto,
}
