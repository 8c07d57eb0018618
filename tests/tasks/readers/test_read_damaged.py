"""Whatever is in a file, it makes a task or one line of complaint, never another error."""

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from table_samples import whole

from pomona.foundation.errors import InputError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.readers.audio_files import read_audio, read_audio_length
from pomona.tasks.readers.image_files import read_image, read_image_shape
from pomona.tasks.readers.read_input import read_input

IMAGES = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "webp": "WEBP",
    "ppm": "PPM",
}
SOUNDS = ("wav", "flac", "ogg")
CELLS = [
    *(
        "",
        "1",
        "2.5",
        "-3",
        "1e309",
        "nan",
        "inf",
        "NA",
        "a",
        "b",
        "yes",
        "No",
        "true",
        "1,5",
        "x,y",
        "12:30",
    ),
    *("2020-01-02", "01/02/2020", "9999-12-31", "0001-01-01", "1970-01-01T00:00:00+14:00", 'a"b', "l1\nl2"),
    *(
        "é",
        "世界",
        "long text here with words",
        "1_000",
        "$5",
        "50%",
        "a|b",
        "||",
        "\t",
        " ",
        "1.000.000",
        "1,234",
    ),
    *("?", "9" * 400, "1e-320", "+1", ".5", "TRUE ", "\x0b", "\ufeff", "\u202e", "#"),
]


def sample(form):
    content = io.BytesIO()
    generator = stream(0, "sample")
    if form in IMAGES:
        pixels = generator.integers(0, 256, (12, 15, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(content, IMAGES[form])
    elif form in SOUNDS:
        soundfile.write(content, generator.uniform(-1, 1, 400), 8000, format=form.upper())
    elif form == "parquet":
        pd.DataFrame({"x": np.arange(50) * 0.3, "y": np.arange(50) % 2}).to_parquet(content)
    else:
        np.savez(content, x=generator.normal(size=(50, 4)), y=np.arange(50) % 2)
    return content.getvalue()


def damaged(content, generator):
    content = bytearray(content)
    if generator.random() < 0.35:
        del content[generator.integers(len(content)) :]
    for _ in range(generator.choice([1, 2, 5, 30])):
        reach = min(len(content), generator.choice([64, 1 << 20]))
        if reach:
            content[generator.integers(reach)] = generator.integers(256)
    return bytes(content)


@pytest.mark.parametrize("form", [*IMAGES, *SOUNDS, "parquet", "npz"])
def test_damaged_files_are_read_or_refused(form, tmp_path, monkeypatch):
    path = tmp_path / f"damaged.{form}"
    readers = [lambda: load_task(path, target="y")]
    if form in IMAGES:
        readers = [lambda: read_image(path), lambda: read_image_shape(path)]
    elif form in SOUNDS:
        readers = [lambda: read_audio(path), lambda: read_audio_length(path)]
    content, generator, complaints = sample(form), stream(0, "damage", form), []
    for index in range(80):
        path.write_bytes(damaged(content, generator))
        if form == "wav" and index == 40:
            monkeypatch.setitem(sys.modules, "soundfile", None)
        for read in readers:
            try:
                read()
            except InputError as error:
                complaints.append(str(error))
    assert not any("\n" in complaint for complaint in complaints)


@st.composite
def tables(draw):
    columns = draw(st.integers(2, 4))
    kinds = [draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=5)) for _ in range(columns)]
    generator = stream(draw(st.integers(0, 1000)), "cells")
    names = [f"c{index}" for index in range(columns - 1)] + [
        draw(st.sampled_from(["y", "weight", "columns", "é"]))
    ]
    rows = [[str(generator.choice(kind)) for kind in kinds] for _ in range(draw(st.integers(8, 60)))]
    if draw(st.booleans()):  # most columns of one kind of cell teach nothing
        for index, row in enumerate(rows):
            row[0] = str(index * 0.37)
    text = io.StringIO()
    csv.writer(text, delimiter=draw(st.sampled_from(",;\t|"))).writerows([names, *rows])
    return (
        text.getvalue(),
        names[-1],
        draw(st.sampled_from([None, "classify", "regress", "multilabel", "sequence"])),
    )


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_any_table_makes_a_task_or_one_line(write, table):
    text, target, kind = table
    path = write("any.csv", text)
    try:
        task = load_task(path, target=target, kind=kind)
    except InputError as error:
        complaint = str(error)
    else:
        complaint = ""
        check_whole(task, path)
    assert "\n" not in complaint


def check_whole(task, path):
    for split in task.splits:
        check_batch(whole(task, split), {**task.inputs, **task.targets})
    json.dumps(task.preprocessing.to_json(), allow_nan=False)
    raw = read_input(path, task.preprocessing, task.inputs)
    task.preprocessing.apply(raw.read(np.arange(raw.size)))
