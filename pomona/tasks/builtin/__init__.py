"""The built-in tasks: name → module with `make(*, seed=0, …) -> Task`, imported when it is asked for."""

TASKS: dict[str, str] = {
    "digits": "pomona.tasks.builtin.digits",
}
