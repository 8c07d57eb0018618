"""The built-in tasks: name → module with `make(*, seed=0, …) -> Task`, imported when it is asked for."""

TASKS: dict[str, str] = {
    name: f"pomona.tasks.builtin.{name.replace('-', '_')}"
    for name in (
        "digits",
        "mnist",
        "fashion-mnist",
        "cifar10",
        "letters",
        "spoken-digits",
        "clinc150",
        "digit-properties",
        "two-digits",
        "iris",
        "wine",
        "breast-cancer",
        "diabetes",
        "linnerud",
        "shapes",
        "moving-glyphs",
        "tagged-words",
        "small-grammar",
        "seasonal-series",
        "bird-chirps",
        "narrow-band",
        "gain-shift",
        "instrument-notes",
        "sound-tasks",
        "needle",
        "text-needle",
        "long-text",
        "chapters",
        "listops",
        "pathfinder",
        "promoter",
        "cifar10-pixels",
    )
}
