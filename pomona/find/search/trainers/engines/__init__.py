"""What trainers are started by: engine → a function that starts one."""

from pomona.find.search.trainers.engines.local import start_local
from pomona.find.search.trainers.engines.ray_task import start_ray
from pomona.find.search.trainers.engines.slurm import start_slurm
from pomona.find.search.trainers.engines.started import Start

ENGINES: dict[str, Start] = {"local": start_local, "slurm": start_slurm, "ray": start_ray}
