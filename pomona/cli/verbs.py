"""The verbs: name → (where its function is, one line of help)."""

VERBS: dict[str, tuple[str, str]] = {
    "search": ("pomona.cli.search:search", "find the best network for a task or for your own data"),
    "trainer": ("pomona.cli.trainer:trainer", "train for a search that runs somewhere"),
    "forecast": ("pomona.cli.forecast:forecast", "forecast many series, with a model to serve"),
    "fit": ("pomona.cli.fit:fit", "train one network"),
    "bootstrap": ("pomona.cli.bootstrap:bootstrap", "compare training on few examples with ever fresh ones"),
    "uncertainty": ("pomona.cli.uncertainty:uncertainty", "how sure is it, and how rightly?"),
    "stress": ("pomona.cli.stress:stress", "would another seed behave otherwise?"),
    "prune": ("pomona.cli.prune:prune", "make most weights of a network zero"),
    "partition": ("pomona.cli.partition:partition", "cut a model into stages that run as a pipeline"),
    "place": ("pomona.cli.place:place", "place the operations of a graph on devices"),
    "bench": ("pomona.cli.bench:bench", "how fast does it answer, by the rules of MLPerf?"),
    "export": ("pomona.cli.export:export", "write a saved model as ONNX, in eight bits, or as a program"),
    "predict": ("pomona.cli.predict:predict", "apply a saved model to new data"),
    "perceive": ("pomona.cli.perceive:perceive", "people's pose, hands and faces in pictures and videos"),
    "live": ("pomona.cli.live:live", "landmarks over your webcam's picture, on a local page"),
    "tasks": ("pomona.cli.tasks:tasks", "list the built-in tasks, or show one"),
    "assets": ("pomona.cli.assets:assets", "list, fetch and verify data and weights; show their licences"),
    "report": ("pomona.cli.report:report", "make report.html of a run or an artifact again"),
}
