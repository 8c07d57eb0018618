"""`pomona trainer`: train for a search that runs somewhere."""

from typing import Annotated

from pomona.cli.options import Flat, Json
from pomona.cli.output import answer
from pomona.find.search.trainers.join import JoinOptions


def trainer(*, options: Annotated[JoinOptions, Flat], json: Json = False) -> None:
    """Train for a search that was started with several trainers or a store, until it is over.

    It must see the search's folder and the same data. Ctrl-C saves what it trains for another trainer.
    """
    with answer(as_json=json) as reply:
        from pomona.find.search.trainers.join import trainer_command

        result = trainer_command(options)
        reply.give(
            result,
            [f"{result['completed']} models trained for {result['search']}, {result['failed']} failed"],
        )
