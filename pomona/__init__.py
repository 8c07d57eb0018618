"""Pomona: one toolkit in which a model's whole life happens.

search(subject, …)        the best network for a task or for a user's own data
forecast(data, …)         what comes next in many series, from a table or a data frame
fit_network(subject, …)   one network, trained
stress(subject, …)        whether another seed would behave otherwise
load(path)                a saved model, ready to predict
load_task(subject)        the task behind a name, a table or a folder
uncertainty(subject, …)   how sure a network is, by many methods, and how rightly
bootstrap(subject, …)     a few examples used again and again against ever fresh ones
prune(subject, …)         the same network with most of its weights zero
place(graph, …)           where and when each operation of a graph should run
partition(model, …)       a model cut into stages that run as a pipeline
bench(subject, …)         how fast it answers, by the rules of MLPerf
export_artifact(path, …)  a saved model as files for other programs
Holistic(…)               pose, hands and face of people in pictures, videos and streams
"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "search": "pomona.find.command",
        "forecast": "pomona.find.forecasting.command",
        "fit_network": "pomona.fit.command",
        "stress": "pomona.question.stress.command",
        "load": "pomona.export.predictors.load",
        "load_task": "pomona.tasks",
        "uncertainty": "pomona.question.uncertainty.command",
        "bootstrap": "pomona.question.bootstrap.command",
        "prune": "pomona.compile.pruning.command",
        "place": "pomona.compile.placement.command",
        "partition": "pomona.compile.pipeline.command",
        "bench": "pomona.compile.stopwatch.command",
        "export_artifact": "pomona.export.exporting.command",
        "Holistic": "pomona.perceive.holistic",
    },
)
