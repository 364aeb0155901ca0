"""Malicious files of encodings, which would run code or take much time or memory."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import pickle
import resource
import struct
import sys
import time

import numpy as np
import pytest

from faceauth.bulk.importing import safe_pickle, vectors
from faceauth.bulk.importing.exceptions import SourceError, UnusableEncoding
from faceauth.bulk.importing.sources import Source
from tests.unit.test_importing import ADA, JOE, SIZE, saved


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def array_pickle(shape, data):
    """Return numpy's pickle of an array of floats, with any shape and data."""
    return b"".join(
        [
            b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n",
            b"(cnumpy\nndarray\nK\x00\x85C\x01btR",
            b"(K\x01" + pickle.dumps(shape, 3)[2:-1],
            b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR",
            b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89B" + struct.pack("<I", len(data)) + data + b"tb.",
        ]
    )


def hostile(proof):
    """Return malicious pickles. If one runs its command, it creates the file `proof`."""
    command = f"touch {proof}"
    return {
        "a command": pickle.dumps(Calls(os.system, command)),
        "a command, in the first protocol": pickle.dumps(Calls(os.system, command), 0),
        "code": pickle.dumps(Calls(eval, f"open({str(proof)!r}, 'w')")),
        "code among encodings": pickle.dumps({"ada": [ADA, Calls(exec, command)]}),
        "an attribute": pickle.dumps(Calls(getattr, dict, "fromkeys")),
        "an attribute of what may be named": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        "a module in a name": b"cnumpy.core.multiarray\nscalar.__globals__\n.",
        "an instance": b"(ios\nsystem\nS'true'\no.",
        "a new object": pickle.dumps(Calls(object.__new__, dict)),
        "an object array": pickle.dumps(np.array([Calls(os.system, command)], dtype=object)),
        "whole numbers": pickle.dumps({"ada": np.arange(SIZE)}),
        "texts": pickle.dumps({"ada": np.array(["a"] * SIZE)}),
        "records": pickle.dumps(np.zeros(2, [("a", "f8"), ("b", "f8")])),
        "something kept elsewhere": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "a huge shape": array_pickle((2**40,), b""),
        "a shape below nothing": array_pickle((-1, -1), b"\0" * 8),
        "huge bytes": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
        "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
        "a huge number": b"\x8b" + struct.pack("<i", 2**31 - 1) + b".",
        "a number of many digits": b"I" + b"9" * 100_000 + b"\n.",
        "state for a function": b"cnumpy.core.multiarray\nscalar\n}S'a'\nI1\nsb.",
        "state for a list": b"]}S'append'\nI1\nsb.",
        "a dict as a key": b"}}K\x01s.",
        "an array as a key": b"\x80\x02}" + pickle.dumps(ADA, 2)[2:-1] + b"K\x01s.",
        "a tuple as a key": pickle.dumps({("ada",): ADA}),
        "None as a key": pickle.dumps({None: ADA}),
        "a set": pickle.dumps({"ada", "joe"}),
        "keys with the same hash": pickle.dumps({n * (2**61 - 1): ADA for n in range(99)}),
        "a shared list that changes": b"]q\x00h\x00K\x01a.",
        "a function that calls itself": b"cnumpy\ndtype\nq\x00(h\x00)}Ntb)R.",
        "a function with other attributes": b"\x80\x02cnumpy\ndtype\nN}U\x01aK\x01s\x86b.",
        "a list to encode": b"\x80\x02c_codecs\nencode\n]U\x06latin1\x86R.",
        "a text in another encoding": b"\x80\x02c_codecs\nencode\nU\x01aU\x04idna\x86R.",
        "a dict of pairs": b"\x80\x02ccollections\nOrderedDict\n](K\x01K\x02ea\x85R.",
        "a persistent object": b"Pada\n.",
        "an extension": b"\x82\x01.",
        "nothing": b"",
        "no end": b"\x80\x04]",
        "an end and nothing else": b".",
        "what was never kept": b"\x80\x04h\x07.",
    }


@pytest.mark.parametrize("trap", hostile("proof"))
def test_hostile_pickles_are_refused_and_do_nothing(tmp_path, trap):
    proof = tmp_path / "proof"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError):
        safe_pickle.load(hostile(proof)[trap])
    assert not proof.exists()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, "kilobytes"


def test_harmless_pickle_built_in_the_same_way_is_read():
    read = safe_pickle.load(array_pickle((128,), ADA.tobytes()))
    np.testing.assert_array_equal(read, ADA)


def test_large_memo_index_takes_no_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError):
        safe_pickle.load(b"\x80\x02]r\xff\xff\xff\x7f.")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


def bomb(levels):
    """Return the opcodes of a nested tuple that holds each next one twice: 2**levels to hash."""
    return b")" + b"".join(
        b"r" + struct.pack("<I", level) + b"j" + struct.pack("<I", level) + b"\x86"
        for level in range(levels)
    )


@pytest.mark.parametrize("levels", [2, 35, 1000])
def test_tuples_that_take_forever_to_hash_are_refused_as_keys(levels):
    began = time.monotonic()
    with pytest.raises(SourceError):
        safe_pickle.load(b"\x80\x02}" + bomb(levels) + b"K\x01s.")
    assert time.monotonic() - began < 1


def test_value_that_holds_another_one_too_often_is_refused():
    nested = safe_pickle.load(b"\x80\x02" + bomb(10) + b".")
    assert nested[0] is nested[1]
    with pytest.raises(SourceError, match="too large"):
        safe_pickle.load(b"\x80\x02" + bomb(35) + b".")


@pytest.mark.parametrize("levels", [1_000, 50_000])
@pytest.mark.parametrize(
    "pack",
    [
        lambda levels: b"\x80\x04" + b"]" * levels + b"a" * (levels - 1) + b".",
        lambda levels: b"\x80\x04)" + b"\x85" * levels + b".",
        lambda levels: b"(" * levels + b"l" * levels + b".",
        lambda levels: b"}" + b"K\x01}" * levels + b"s" * levels + b".",
    ],
    ids=["lists", "tuples", "marks", "dicts"],
)
def test_deep_nesting_is_refused(pack, levels):
    with pytest.raises(SourceError, match="nested too deep"):
        safe_pickle.load(pack(levels))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("digits", [30, 4_000, 5_000])
def test_huge_integer_as_a_username_is_refused(write, protocol, digits):
    number = 16**digits
    with without_limit_of_digits():
        data = pickle.dumps([(number, ADA), ("joe", JOE)], protocol)
    with pytest.raises(SourceError):
        list(Source(write("faces.pickle", data), SIZE).read())


@contextlib.contextmanager
def without_limit_of_digits():
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


def test_large_value_that_is_used_many_times_is_refused(monkeypatch):
    monkeypatch.setattr(safe_pickle, "MAX_BYTES", 100_000)
    text = b"X" + struct.pack("<I", 10_000) + b"a" * 10_000 + b"q\x00"
    copy = b"c_codecs\nencode\n(h\x00X\x06\x00\x00\x00latin1tR"
    with pytest.raises(SourceError, match="too large"):
        safe_pickle.load(b"(" + text + copy * 20 + b"l.")
    assert len(safe_pickle.load(b"(" + text + copy * 5 + b"l.")) == 6


def test_arrays_cannot_be_changed_by_a_pickle():
    data = pickle.dumps(ADA, 2)[:-1] + b"K\x00G" + struct.pack(">d", 1.0) + b"s."
    with pytest.raises(SourceError):
        safe_pickle.load(data)


def test_list_that_contains_itself_is_refused(write):
    endless = []
    endless.append(endless)
    path = write("faces.pickle", pickle.dumps({"ada": endless, "joe": JOE}))
    with pytest.raises(SourceError):
        list(Source(path, SIZE).read())


def test_list_that_holds_another_one_too_often_is_refused(write):
    grown = list(ADA)
    for _ in range(40):
        grown = [grown, grown]
    path = write("faces.pickle", pickle.dumps({"ada": grown}))
    with pytest.raises(SourceError, match="too large"):
        list(Source(path, SIZE).read())


def grown_after_copies(levels, width):
    """Return a pickle whose lists grow after others copied them, used as the shape of an array."""

    def get(place):
        return b"j" + struct.pack("<I", place)

    def chain(base):
        code = b"]r" + struct.pack("<I", base)
        for level in range(1, levels + 1):
            code += b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8"
            code += b"]r" + struct.pack("<I", base + level)
        for level in range(levels, 0, -1):
            # dtype drops the list, and scalar's number goes into the list that was copied.
            code += b"(" + get(base + level - 1) * width + b"e\x86RC\x08" + b"\0" * 8 + b"\x86Ra"
        return code

    shape = get(levels) + get(2 * levels + 1) + b"\x86"
    array = b"cnumpy.core.numeric\n_frombuffer\n(C\x00cnumpy\ndtype\nX\x02\0\0\0f8\x85R"
    padding = b"N" * (3 * levels + 20)
    code = b"\x80\x03(" + padding + chain(0) + chain(levels + 1)
    return code + array + shape + b"X\x01\0\0\0CtRt."


def test_list_that_grows_after_it_was_copied_is_refused():
    start = time.monotonic()
    with pytest.raises(SourceError):
        safe_pickle.load(grown_after_copies(5, 100))
    assert time.monotonic() - start < 1


def test_shape_of_lists_is_refused():
    nested = [[1.0] * 3] * 3
    with pytest.raises(SourceError):
        safe_pickle.load(array_pickle((nested, nested), b""))


def test_saved_array_of_rows_without_numbers_takes_no_memory():
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**30, 0)}
    np.lib.format.write_array_header_1_0(file, header)
    (empty,) = vectors.split(vectors.read_npy(file.getvalue()))
    with pytest.raises(UnusableEncoding):
        vectors.to_vector(empty, SIZE)


def test_too_many_opcodes_are_refused(monkeypatch):
    monkeypatch.setattr(safe_pickle, "MAX_OPCODES", 1000)
    with pytest.raises(SourceError, match="too large"):
        safe_pickle.load(b"]" * 1002 + b".")


@pytest.mark.filterwarnings("ignore")
def test_damage_raises_no_other_error():
    random = np.random.default_rng(3)
    short = {"names": ["ada", "joe"], "encodings": [ADA[:4], list(JOE[:4])]}
    whole = [pickle.dumps(short, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    whole += [saved(ADA[:4]), json.dumps(list(ADA[:4])).encode(), base64.b64encode(ADA[:4])]
    for number in range(5000):
        data = bytearray(whole[number % len(whole)])
        for place in random.integers(len(data), size=3):
            data[place] = random.integers(256)
        with contextlib.suppress(SourceError):
            safe_pickle.load(bytes(data))
        for value in bytes(data), data.decode("latin-1"):
            with contextlib.suppress(UnusableEncoding):
                assert vectors.to_vector(value, 4).shape == (4,)


def test_vectors_of_dlib_are_explained():
    with pytest.raises(SourceError, match=r"numpy\.array"):
        safe_pickle.load(b"\x80\x04\x8c\x0e_dlib_pybind11\x8c\x06vector\x93.")


@pytest.mark.parametrize("shape", [(2**40,), (2**20, 2**20)])
def test_saved_array_that_is_larger_than_its_bytes(shape):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(UnusableEncoding, match="damaged"):
        vectors.to_vector(file.getvalue() + ADA.tobytes(), SIZE)


def test_saved_array_of_objects_is_not_unpickled(tmp_path):
    proof = tmp_path / "proof"
    file = io.BytesIO()
    np.save(file, np.array([Calls(os.system, f"touch {proof}")], dtype=object), allow_pickle=True)
    with pytest.raises(UnusableEncoding, match="no_numbers"):
        vectors.to_vector(file.getvalue(), SIZE)
    assert not proof.exists()
