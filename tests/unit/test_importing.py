"""Read encodings in all formats and layouts in which other programs store them."""

from __future__ import annotations

import base64
import collections
import csv
import io
import json
import pickle
import sqlite3

import numpy as np
import pytest

from faceauth.bulk.importing import vectors
from faceauth.bulk.importing.exceptions import SourceError, UnusableEncoding
from faceauth.bulk.importing.layouts import Columns
from faceauth.bulk.importing.sources import Source

SIZE = 128
ADA, ADAS, JOE = np.random.default_rng(1).normal(size=(3, SIZE))
PEOPLE = [("ada", ADA), ("ada", ADAS), ("joe", JOE)]


def read(path, format="auto", table="", **columns):
    """Return all encodings in a file: usernames and vectors."""
    source = Source(path, SIZE, format, Columns(**columns), table)
    return [(item.username, vectors.to_vector(item.value, SIZE)) for item in source.read()]


def assert_everybody(found, people=PEOPLE, exactly=True):
    assert [name for name, _ in found] == [name for name, _ in people]
    for (_, one), (_, other) in zip(found, people, strict=True):
        np.testing.assert_allclose(one, other, rtol=0 if exactly else 1e-6)


def shapes(array, listed):
    """Return the people in all layouts that tutorials use."""
    ada, adas, joe = map(array, (ADA, ADAS, JOE))
    return {
        "two lists in a dict": {"encodings": [ada, adas, joe], "names": ["ada", "ada", "joe"]},
        "their other names": {
            "known_face_names": ["ada", "ada", "joe"],
            "known_face_encodings": [ada, adas, joe],
        },
        "two lists": listed([[ada, adas, joe], ["ada", "ada", "joe"]]),
        "two lists, names first": listed([["ada", "ada", "joe"], [ada, adas, joe]]),
        "a dict of people": {"ada": [ada, adas], "joe": joe},
        "a list of dicts": [
            {"name": "ada", "encoding": ada, "age": 36},
            {"name": "ada", "encoding": [adas]},
            {"name": "joe", "encoding": joe},
        ],
        "a list of dicts of several": [
            {"label": "ada", "descriptors": [ada, adas]},
            {"label": "joe", "descriptors": [joe]},
        ],
        "a list of pairs": [listed(["ada", ada]), listed(["ada", adas]), listed([joe, "joe"])],
    }


SHAPES = list(shapes(list, list))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_all_layouts(write, shape, protocol):
    found = shapes(lambda each: each, tuple)[shape]
    assert_everybody(read(write("faces.pickle", pickle.dumps(found, protocol))))
    assert_everybody(read(write("faces.dat", pickle.dumps(shapes(list, list)[shape], protocol))))


@pytest.mark.parametrize("shape", SHAPES)
def test_json_of_all_layouts(write, shape):
    text = json.dumps(shapes(list, list)[shape])
    assert_everybody(read(write("faces.json", text)))
    assert_everybody(read(write("faces", text)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "kept",
    [
        np.stack([ADA, ADAS]),
        np.asfortranarray(np.stack([ADA, ADAS])),
        np.stack([ADA, ADAS]).astype(">f8"),
        [list(ADA), tuple(map(np.float64, ADAS))],
    ],
    ids=["rows", "columns first", "big-endian", "scalars"],
)
def test_pickled_arrays_of_all_kinds(write, kept, protocol):
    for people in {"ada": kept}, collections.OrderedDict(ada=kept):
        path = write("faces.pickle", pickle.dumps(people, protocol))
        assert_everybody(read(path), PEOPLE[:2])
    several = collections.defaultdict(list)
    several["ada"].append(ADA.astype(np.float32))
    path = write("faces.pickle", pickle.dumps(several, protocol))
    assert_everybody(read(path), PEOPLE[:1], exactly=False)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


WAYS = {
    "raw float64": ADA.tobytes(),
    "raw float32": ADA.astype(np.float32).tobytes(),
    "saved": saved(ADA),
    "pickled": pickle.dumps(ADA),
    "text in bytes": json.dumps(list(ADA)).encode(),
    "JSON": json.dumps(list(ADA)),
    "spaces": " ".join(map(repr, ADA.tolist())),
    "as numpy prints it": np.array2string(ADA, threshold=1000, precision=17),
    "as numpy names it": f"array({ADA.tolist()})",
    "base64": base64.b64encode(ADA.tobytes()).decode(),
    "base64 in lines": base64.encodebytes(ADA.tobytes()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(ADA.tobytes()).decode(),
    "base64 of float32": base64.b64encode(ADA.astype(np.float32).tobytes()).decode(),
    "base64 of a pickle": base64.b64encode(pickle.dumps(ADA)).decode(),
    "MongoDB's export": {"$binary": {"base64": base64.b64encode(ADA.tobytes()).decode()}},
    "MongoDB's old export": {"$binary": base64.b64encode(ADA.tobytes()).decode(), "$type": "00"},
    "JavaScript's array": {str(place): each for place, each in enumerate(ADA.tolist())},
    "one in a list": [list(ADA)],
}


@pytest.mark.parametrize("way", WAYS)
def test_one_encoding_in_all_formats(way):
    np.testing.assert_allclose(vectors.to_vector(WAYS[way], SIZE), ADA, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_numbers"),
        ("", "no_numbers"),
        ("Ada Lovelace", "no_numbers"),
        ([], "wrong_size"),
        ([1.0] * 127, "wrong_size"),
        ([True] * SIZE, "no_numbers"),
        (["1"] * SIZE, "no_numbers"),
        ([0.0] * SIZE, "not_finite"),
        ([float("nan")] * SIZE, "not_finite"),
        ([10**400] * SIZE, "not_finite"),
        (np.array2string(np.resize(ADA, 2000)), "truncated"),
        (ADA.tobytes()[:-1], "wrong_bytes"),
        (base64.b64encode(b"\xff" * 30).decode(), "wrong_bytes"),
        (np.arange(SIZE), "no_numbers"),
        (saved(np.arange(SIZE)), "no_numbers"),
        (saved(ADA)[:-8], "damaged"),
        (b"\x93NUMPY\x01\x00", "damaged"),
        (b"\x80\x04", "damaged"),
    ],
)
def test_values_that_are_not_encodings(value, reason):
    with pytest.raises(UnusableEncoding) as caught:
        vectors.to_vector(value, SIZE)
    assert caught.value.reason == reason


def test_json_lines_of_mongodb(write):
    packed = [base64.b64encode(each.tobytes()).decode() for _, each in PEOPLE]
    lines = [
        json.dumps({"_id": {"$oid": f"5f{place}"}, "name": name, "encoding": text})
        for place, ((name, _), text) in enumerate(zip(PEOPLE, packed, strict=True))
    ]
    assert_everybody(read(write("faces.jsonl", "\n".join(lines) + "\n")))


def table(rows, delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


NUMBERS = [[name, *map(repr, each.tolist())] for name, each in PEOPLE]
TABLES = {
    "numbers": table(NUMBERS),
    "numbers under a header": table([["name", *range(SIZE)], *NUMBERS]),
    "numbers under names": table([["who", *(f"e{each}" for each in range(SIZE))], *NUMBERS]),
    "numbers as pandas writes them": table(
        [["", "name", *range(SIZE)], *([place, *row] for place, row in enumerate(NUMBERS))]
    ),
    "numbers last": table([["age", "username", *range(SIZE)], *([36, *row] for row in NUMBERS)]),
    "semicolons": table(NUMBERS, ";"),
    "JSON": table([["username", "encoding"], *([n, json.dumps(list(e))] for n, e in PEOPLE)]),
    "JSON, without a header": table([[n, json.dumps(list(e))] for n, e in PEOPLE]),
    "spaces": table([["name", "vector"], *([n, " ".join(map(repr, list(e)))] for n, e in PEOPLE)]),
    "base64": table([["id", "data"], *([n, base64.b64encode(e).decode()] for n, e in PEOPLE)]),
}
TABLES["spaces"] = TABLES["spaces"].replace("np.float64(", "").replace(")", "")


@pytest.mark.parametrize("way", TABLES)
def test_tables(write, way):
    assert_everybody(read(write("faces.csv", "\ufeff" + TABLES[way])))


def test_columns_named_by_the_operator(write):
    rows = [["id", "login", "v1"], *([7, n, json.dumps(list(e))] for n, e in PEOPLE)]
    path = write("faces.csv", table(rows))
    assert_everybody(read(path, username="login", encoding="v1"))
    with pytest.raises(SourceError, match="'logins'"):
        read(path, username="logins", encoding="v1")


@pytest.fixture
def database(tmp_path):
    """Write a database and return its path."""

    def make(packed, name="faces", columns=("name", "encoding")):
        path = tmp_path / "faces.db"
        with sqlite3.connect(path) as connection:
            quoted = ", ".join(f'"{each}"' for each in columns)
            table = name.replace('"', '""')
            connection.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, {quoted})')
            for username, value in packed:
                connection.execute(
                    f'INSERT INTO "{table}" ({quoted}) VALUES (?, ?)', (username, value)
                )
        connection.close()
        return path

    return make


@pytest.mark.parametrize(
    "pack",
    [
        lambda each: each.tobytes(),
        lambda each: each.astype(np.float32).tobytes(),
        saved,
        pickle.dumps,
        lambda each: json.dumps(list(each)),
    ],
    ids=["float64", "float32", "saved", "pickled", "JSON"],
)
def test_databases(database, pack):
    path = database([(name, pack(each)) for name, each in PEOPLE])
    assert_everybody(read(path), exactly=False)


def test_table_of_a_database_by_name(database):
    packed = [(name, each.tobytes()) for name, each in PEOPLE]
    database(packed, 'odd "name"', ("who", "what"))
    path = database([("x", b"")])
    where = {"table": 'odd "name"', "username": "who", "encoding": "what"}
    assert_everybody(read(path, **where))
    with pytest.raises(SourceError, match=r'odd "name" \(id, who, what\)'):
        read(path, table="elsewhere")
    before = path.read_bytes()
    read(path, **where)
    assert path.read_bytes() == before


def test_folder_of_arrays(write, tmp_path):
    write("npy/ada/1.npy", saved(ADA))
    write("npy/ada/2.npy", saved(ADAS[None]))
    write("npy/joe.npy", saved(JOE))
    write("npy/joe.txt", "no array")
    write("npy/a/b/c.npy", saved(JOE))
    assert_everybody(read(tmp_path / "npy"))
    assert_everybody(read(tmp_path / "npy/joe.npy"), PEOPLE[2:])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("faces.pickle", pickle.dumps([ADA, ADAS]), "does not say whose"),
        (
            "faces.pickle",
            pickle.dumps({"names": ["ada"], "encodings": [ADA, JOE]}),
            "encodings differ",
        ),
        ("faces.json", "[[1.0, 2.0]]", "does not say whose"),
        ("faces.json", "{", "line 1"),
        ("faces.json", "[" * 100_000, "recursion"),
        ("faces.json", b"\xff\xfe", "UTF-8"),
        ("faces.db", "no database", "not a database"),
        ("faces.bin", b"\x00\x01", "--format"),
    ],
)
def test_errors_say_why_a_file_cannot_be_read(write, name, content, words):
    with pytest.raises(SourceError, match=words):
        read(write(name, content))
