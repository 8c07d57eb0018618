"""The tables that can be had: their spaces, scores and files."""

from dataclasses import dataclass

from pomona.fit.trials.space import Choice, Space
from pomona.foundation.errors import unknown_name

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

CELLS = Space({f"Op{edge}": Choice(OPERATIONS) for edge in range(6)})
"""NAS-Bench-201 (Dong, Yang 2020, arXiv 2001.00326): an operation on each of a cell's six edges."""

REGRESSORS = Space(
    {
        "activation_fn_1": Choice(("relu", "tanh")),
        "activation_fn_2": Choice(("relu", "tanh")),
        "batch_size": Choice((8, 16, 32, 64)),
        "dropout_1": Choice((0.0, 0.3, 0.6)),
        "dropout_2": Choice((0.0, 0.3, 0.6)),
        "init_lr": Choice((5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1)),
        "lr_schedule": Choice(("cosine", "const")),
        "n_units_1": Choice((16, 32, 64, 128, 256, 512)),
        "n_units_2": Choice((16, 32, 64, 128, 256, 512)),
    }
)
"""FCNet (Klein, Hutter 2019, arXiv 1905.04970): a network of two layers and its training."""


@dataclass(frozen=True)
class TableEntry:
    """Where a table is and how its scores are meant.

    `metric` is its name in the file; a loss is made a score by its sign. Regret is in percentage points of
    accuracy, or, of a loss, relative to the lowest: 0.1 is a loss a tenth above it.
    """

    asset: str
    space: Space
    metric: str
    is_loss: bool
    about: str


def _cells(file: str, data: str) -> TableEntry:
    return TableEntry(
        f"benchmark-tables/{file}.pkl", CELLS, "val_acc", False, f"NAS-Bench-201, {data}: accuracy in %"
    )


def _regressors(file: str, data: str) -> TableEntry:
    return TableEntry(f"benchmark-tables/{file}.pkl", REGRESSORS, "val_loss", True, f"FCNet, {data}: MSE")


TABLES: dict[str, TableEntry] = {
    "nas201-cifar10": _cells("cifar10", "CIFAR-10"),
    "nas201-cifar100": _cells("cifar100", "CIFAR-100"),
    "nas201-imagenet16": _cells("imagenet", "ImageNet16-120"),
    "fcnet-naval": _regressors("naval_propulsion", "naval propulsion"),
    "fcnet-parkinsons": _regressors("parkinsons_telemonitoring", "Parkinson's telemonitoring"),
    "fcnet-protein": _regressors("protein_structure", "protein structure"),
    "fcnet-slice": _regressors("slice_localization", "slice localisation"),
}


def tables_named(name: str) -> tuple[str, ...]:
    """The tables that a name means: one, all of a family (nas201, fcnet), or all of them ("all").

    >>> tables_named("nas201")
    ('nas201-cifar10', 'nas201-cifar100', 'nas201-imagenet16')
    """
    found = tuple(table for table in TABLES if name in (table, table.partition("-")[0], "all"))
    if not found:
        families = {table.partition("-")[0] for table in TABLES}
        raise unknown_name("benchmark", name, [*families, *TABLES, "all"])
    return found
