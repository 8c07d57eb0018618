"""Who trains what: one row for each (study, genome, seed), in the database of the trials themselves.

Optuna knows neither duplicates nor who runs a trial, and on SQLite two processes may both start a waiting
one. So a row here is the only lock: its primary key makes a second trial of a genome and seed impossible, and
the trainer it names, as long as its last beat is younger than the grace period, is the only one to run its
trial. Every change is one statement that says what it expects to find; all times are the database's own.
"""

import contextlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

TABLE = sql.Table(
    "pomona_claims",
    sql.MetaData(),
    sql.Column("study_id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("genome_hash", sql.String(200), primary_key=True),
    sql.Column("seed", sql.String(20), primary_key=True),
    sql.Column("trial_id", sql.Integer),
    sql.Column("trainer", sql.String(200)),
    sql.Column("beat", sql.Double, nullable=False),
)

HEAD = ("", 0)
"""Key of the row that stands for the whole study: whoever leads a search with many trainers beats there."""

CLOCKS = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch from clock_timestamp())::float8",
    "mysql": "unix_timestamp(now(6))",
    "mariadb": "unix_timestamp(now(6))",
}

Key = tuple[str, int]
"""Hash of a genome, and the seed."""


class Claims:
    """The rows of one study, as one trainer changes them. May be used from several threads."""

    def __init__(self, engine: Any, study_id: int, *, trainer: str, grace_s: float):
        self.trainer = trainer
        self._engine, self._study_id, self._grace_s = engine, study_id, grace_s
        self._now = sql.literal_column(CLOCKS[engine.dialect.name], sql.Double)
        TABLE.create(engine, checkfirst=True)
        self._add_head()

    def add(self, key: Key, *, most: int | None = None) -> bool:
        """Adds a row of this trainer; False where there is one, or `most` others.

        A row whose trainer died before it made the trial does not count, and is taken over.
        """
        abandoned = self._is(key) & self._is_abandoned()
        try:
            with self._engine.begin() as connection:
                if most is not None and self._num_rows(connection) >= most:
                    return False
                taken = connection.execute(
                    TABLE.update().where(abandoned).values(trainer=self.trainer, beat=self._now)
                )
                if not taken.rowcount:
                    connection.execute(self._row(key, self.trainer))
            return True
        except IntegrityError:
            return False

    def name_trial(self, key: Key, trial_id: int) -> bool:
        """Ties the row that `add` gave to its trial; False when another trainer has it by now."""
        mine = self._is(key) & (TABLE.c.trainer == self.trainer) & TABLE.c.trial_id.is_(None)
        return self._change(mine, trial_id=trial_id)

    def take(self, key: Key, trial_id: int) -> bool:
        """Makes a waiting trial this trainer's; False when another has it, or the row is another trial's."""
        is_its = (TABLE.c.trial_id == trial_id) | TABLE.c.trial_id.is_(None)
        free = TABLE.c.trainer.is_(None) | (TABLE.c.trainer == self.trainer) | self._is_silent()
        return self._change(
            self._is(key) & is_its & free, trial_id=trial_id, trainer=self.trainer, beat=self._now
        )

    def holds(self, trial_id: int) -> bool:
        """Whether the trial is this trainer's."""
        return self._is_there((TABLE.c.trial_id == trial_id) & (TABLE.c.trainer == self.trainer))

    def beat(self) -> None:
        """Says that this trainer lives."""
        self._change(TABLE.c.trainer == self.trainer, beat=self._now)

    def release(self, trial_id: int) -> None:
        """Lets go of a trial of this trainer."""
        mine = (TABLE.c.trial_id == trial_id) & (TABLE.c.trainer == self.trainer)
        self._change(mine, trainer=None)

    def seize(self, trial_id: int, *, alone: bool, dead: Collection[str]) -> bool:
        """Takes the trial of a dead trainer: a silent one or one of `dead`, with `alone` any but this one."""
        is_dead = sql.true() if alone else self._is_silent() | TABLE.c.trainer.in_(list(dead))
        return self._change(
            (TABLE.c.trial_id == trial_id) & (TABLE.c.trainer != self.trainer) & is_dead,
            trainer=self.trainer,
            beat=self._now,
        )

    def may_run(self, key: Key, trial_id: int) -> bool:
        """Whether no other trial has the row of this genome and seed."""
        other = TABLE.c.trial_id.is_not(None) & (TABLE.c.trial_id != trial_id)
        return not self._is_there(self._is(key) & other)

    def drop_abandoned(self) -> None:
        """Removes the rows for which no trial was made. Only for a trainer that is alone."""
        with self._engine.begin() as connection:
            connection.execute(TABLE.delete().where(self._is_of_study() & self._is_without_trial()))

    def abandon(self, dead: Collection[str]) -> None:
        """Leaves the rows for which `dead` trainers made no trial to whoever comes first."""
        if dead:
            self._change(self._is_without_trial() & TABLE.c.trainer.in_(list(dead)), beat=0.0)

    def are_promised(self) -> bool:
        """Whether a trainer that may live has a row for which it did not make the trial yet."""
        return self._is_there(self._is_without_trial() & ~self._is_silent())

    def lead(self) -> None:
        """Says that whoever leads the search lives."""
        self._change(self._is(HEAD), trainer=self.trainer, beat=self._now)

    def is_led(self) -> bool:
        """Whether somebody leads the search and lives."""
        return self._is_there(self._is(HEAD) & TABLE.c.trainer.is_not(None) & ~self._is_silent())

    def _add_head(self) -> None:
        if self._is_there(self._is(HEAD)):
            return
        with contextlib.suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(self._row(HEAD, None))

    def _row(self, key: Key, trainer: str | None) -> Any:
        genome_hash, seed = key
        return TABLE.insert().values(
            study_id=self._study_id,
            genome_hash=genome_hash,
            seed=str(seed),
            trainer=trainer,
            beat=self._now,
        )

    def _num_rows(self, connection: Any) -> int:
        # the write comes first: it lets one trainer at a time count and add
        connection.execute(TABLE.update().where(self._is(HEAD)).values(trial_id=None))
        rows = self._is_of_study() & (TABLE.c.genome_hash != HEAD[0]) & ~self._is_abandoned()
        return int(connection.execute(sql.select(sql.func.count()).where(rows)).scalar_one())

    def _is_there(self, where: Any) -> bool:
        with self._engine.connect() as connection:
            found = connection.execute(sql.select(TABLE.c.beat).where(self._is_of_study() & where))
            return found.first() is not None

    def _change(self, where: Any, **values: Any) -> bool:
        with self._engine.begin() as connection:
            changed = connection.execute(TABLE.update().where(self._is_of_study() & where).values(**values))
        return changed.rowcount > 0

    def _is_of_study(self) -> Any:
        return TABLE.c.study_id == self._study_id

    def _is(self, key: Key) -> Any:
        return self._is_of_study() & (TABLE.c.genome_hash == key[0]) & (TABLE.c.seed == str(key[1]))

    def _is_abandoned(self) -> Any:
        """Rows whose trainer died before it made the trial."""
        return TABLE.c.trial_id.is_(None) & self._is_silent()

    def _is_without_trial(self) -> Any:
        return TABLE.c.trial_id.is_(None) & (TABLE.c.genome_hash != HEAD[0])

    def _is_silent(self) -> Any:
        return TABLE.c.beat < self._now - self._grace_s
