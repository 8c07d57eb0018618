"""What a path that is no artifact looks like, for the message that refuses it."""

from pathlib import Path

_WHAT_TO_GIVE = "give the folder that was printed when the model was made"

# a file that gives a folder away → what the folder is and what to do
_SIGNS: tuple[tuple[str, str], ...] = (
    ("model.safetensors", "a Hugging Face model folder, which Pomona does not load"),
    ("pytorch_model.bin", "a Hugging Face model folder, which Pomona does not load"),
    ("saved_model.pb", "a TensorFlow SavedModel, which Pomona does not load"),
    ("weights.safetensors", "an artifact without its artifact.json: copy it again from where it was made"),
    ("decisions.jsonl", "a run folder that holds no artifact yet: run the same command again to finish it"),
    ("run.json", "a run folder that holds no artifact yet: run the same command again to finish it"),
)


def what_it_looks_like(path: Path) -> str:
    """One clause on what is at `path`, with what to do."""
    if not path.exists():
        return f"{path} does not exist"
    if path.is_file():
        return f"{path} is a file: {_WHAT_TO_GIVE}, or a .onnx file that Pomona exported"
    try:
        names = sorted(entry.name for entry in path.iterdir())
        nested = [name for name in names if (path / name / "artifact.json").is_file()]
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error})"
    if nested:
        return f"{path} holds artifacts but is none itself: give {path / nested[0]}"
    for name, meaning in _SIGNS:
        if name in names:
            return f"{path} looks like {meaning}"
    if not names:
        return f"{path} is an empty folder"
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{path} has no artifact.json (it has {shown}): {_WHAT_TO_GIVE}"
