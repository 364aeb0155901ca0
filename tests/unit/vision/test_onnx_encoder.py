from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest

from faceauth.vision import Engine, ModelError, ONNXEncoder, alignment_templates, decode_image
from faceauth.vision.alignment import VIEWS
from faceauth.vision.dlib_networks import ENCODER_FILE, encoder_graph, model_path, read_layers
from faceauth.vision.encoding import DlibEncoder, template
from faceauth.vision.onnx_session import Tensor, open_session, read_signature
from faceauth.vision.onnx_writer import FLOAT, INT64, UINT8, Graph
from tests.support.encoders import SIDE, network

FLOAT16 = 10
CPU = {"threads": 1, "providers": ["CPUExecutionProvider"]}


@pytest.fixture
def file(tmp_path):
    return network(tmp_path / "squares.onnx")


def loaded(*args, **options):
    encoder = ONNXEncoder(*args, **options)
    encoder.load(**CPU)
    return encoder


def chips(count=3):
    return [*np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)]


def passing(path, shape=("n", 3, SIDE, SIDE), output=("n", 12)):
    """Write a network that returns the pixels, averaged over four squares of each colour."""
    graph = Graph("through")
    x = graph.node("Cast", graph.input("pixels", shape), to=FLOAT)
    x = graph.node("AveragePool", x, kernel_shape=[16, 16], strides=[16, 16])
    x = graph.node("Reshape", x, graph.constant(np.array([0, -1])))
    graph.output(x, output)
    path.write_bytes(graph.serialise())
    return path


def unchanging(path, shape, kind=FLOAT):
    """Write a network that takes any shape and returns it."""
    graph = Graph("unchanging")
    graph.output(graph.node("Cast", graph.input("pixels", shape, kind), to=FLOAT), shape)
    path.write_bytes(graph.serialise())
    return path


def test_options_come_from_the_file(file):
    encoder = ONNXEncoder(file)
    assert encoder.size == 64
    assert encoder.name.startswith("squares-")
    encoder.load(**CPU)
    assert encoder.encode(chips()).shape == (3, 64)
    assert encoder.encode(chips()).dtype == np.float32


@pytest.mark.parametrize("size", [64, 512])
def test_small_network_distinguishes_people(tmp_path, faces, size):
    file = network(tmp_path / "squares.onnx", size=size)
    engine = Engine(encoder=ONNXEncoder(file, normalise="standardise"))
    images = {name: decode_image(faces[name]) for name in ("obama", "biden", "astronaut")}
    probes = {name: engine.probe([image]) for name, image in images.items()}
    views = engine.encode_views(images["obama"], engine.find_faces(images["obama"])[0])
    assert views.shape == probes["obama"].shape == (size,)
    distances = {
        name: np.linalg.norm(template(views[None]) - probe) for name, probe in probes.items()
    }
    assert distances["obama"] < 0.3 < 0.6 < min(distances["biden"], distances["astronaut"])


def test_same_network_as_a_file_encodes_the_same_chip_the_same(tmp_path, faces):
    """dlib's own network, as an ONNX file."""
    path = tmp_path / "resnet.onnx"
    path.write_bytes(encoder_graph(read_layers(model_path(ENCODER_FILE))))
    theirs, ours = loaded(path, align="dlib"), DlibEncoder()
    ours.load(**CPU)
    assert theirs.size == 128
    image = decode_image(faces["astronaut"])
    landmarks = Engine().find_faces(image)[0].landmarks
    chip = ours.chip(image, landmarks)
    assert np.array_equal(theirs.encode([chip]), ours.encode([chip]))
    # Aligned by eyes and nose it is nearly the chip that dlib's five points make.
    difference = template(theirs.encode([theirs.chip(image, landmarks)])) - template(
        ours.encode([chip])
    )
    assert np.linalg.norm(difference) < 0.15


def test_layouts_types_and_batches_make_no_difference(tmp_path, file):
    expected = loaded(file).encode(chips())
    variants = {
        "rows": {"shape": ("n", SIDE, SIDE, 3)},
        "alone": {"shape": (1, 3, SIDE, SIDE), "output": (1, 64)},
        "bytes": {"kind": UINT8},
        "half": {"kind": FLOAT16},
        "any size": {"shape": ("n", 3, "height", "width")},
    }
    for name, variant in variants.items():
        path = network(tmp_path / f"{name}.onnx", **variant)
        options = {"input": SIDE} if name == "any size" else {}
        assert np.allclose(loaded(path, **options).encode(chips()), expected, rtol=1e-5), name


def test_option_that_the_file_does_not_state_has_to_be_set(tmp_path):
    path = passing(tmp_path / "silent.onnx", shape=("n", "a", "b", "c"), output=("n", "d"))
    with pytest.raises(ValueError, match="'layout' is missing"):
        ONNXEncoder(path)
    with pytest.raises(ValueError, match="'input' is missing"):
        ONNXEncoder(path, layout="NCHW")
    with pytest.raises(ValueError, match="'size' is missing"):
        ONNXEncoder(path, layout="NCHW", input=SIDE)
    encoder = loaded(path, layout="NCHW", input=SIDE, size=12)
    assert encoder.encode(chips()).shape == (3, 12)
    with pytest.raises(ModelError, match="gives 12 values, not 128"):
        loaded(path, layout="NCHW", input=SIDE, size=128)


def test_pixels_have_the_order_and_range_that_the_options_ask_for(tmp_path):
    path = passing(tmp_path / "through.onnx")
    (chip,) = np.full((1, SIDE, SIDE, 3), (30, 60, 90), np.uint8)
    # Four squares of each colour.
    colours = loaded(path).encode([chip])[0, ::4]
    assert colours == pytest.approx([30, 60, 90])
    assert loaded(path, channels="BGR").encode([chip])[0, ::4] == pytest.approx([90, 60, 30])
    one = loaded(path, normalise={"mean": 60, "std": 30}).encode([chip])[0, ::4]
    assert one == pytest.approx([-1, 0, 1])
    each = loaded(path, normalise={"mean": [90, 60, 0], "std": [2, 3, 10]}, channels="BGR")
    assert each.encode([chip])[0, ::4] == pytest.approx([0, 0, 3])


def test_each_chip_is_standardised_by_itself(tmp_path):
    encoder = loaded(passing(tmp_path / "through.onnx"), normalise="standardise")
    dark, bright = chips(1)[0] // 4, chips(1)[0] // 4 * 3 + 20
    one, other = encoder.encode([dark, bright])
    assert np.allclose(one, other, atol=1e-5)
    assert np.abs(one).max() > 0.01
    flat = encoder.encode([np.full((SIDE, SIDE, 3), 7, np.uint8)])
    assert not flat.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": "rgb"}, r"'channels' is 'rgb'.* Did you mean 'RGB'\?"),
        ({"layout": "NCWH"}, r"'layout' is 'NCWH'.* Did you mean 'NCHW'\?"),
        ({"layout": "NHWC"}, "'layout' is 'NHWC', but .* has 'NCHW'"),
        ({"input": 160}, "'input' is 160, but .* has 32"),
        ({"input": "32"}, "'input' is '32', which is not a positive whole number"),
        ({"size": 128}, "'size' is 128, but .* has 64"),
        ({"size": True}, "'size' is True, which is not a positive whole number"),
        ({"normalise": "standardize"}, r"Did you mean 'standardise'\?"),
        ({"normalise": {"mean": 1}}, "'normalise' .* which is not None, 'standardise' or {'mean'"),
        ({"normalise": {"mean": 1, "std": 0}}, "'std' above 0"),
        ({"normalise": {"mean": "a", "std": 2}}, "one number each, or three"),
        ({"normalise": {"mean": 0.5, "std": 0.5}}, r"0\.5 is 127\.5 on this scale"),
        ({"align": "arc-face"}, r"Did you mean 'arcface'\?"),
        ({"align": [[1, 2]] * 3}, r"'align' .* or five \[x, y\]"),
        (
            {"align": [(20, 9), (9, 9), (15, 15), (9, 20), (20, 20)]},
            "needs its points in this order",
        ),
        ({"align": [(9, 9), (20, 9), (15, 15), (9, 40), (20, 40)]}, "not in a chip of 32 pixels"),
        ({"name": ""}, "'name' is '', which is not text"),
        ({"name": "x" * 65}, "'name' is .* which is not text"),
        ({"name": "dlib"}, "'name' is 'dlib', which is the name of dlib's own encoder"),
    ],
)
def test_error_names_the_wrong_option_and_its_right_values(file, options, message):
    with pytest.raises(ValueError, match=message):
        ONNXEncoder(file, **options)


def test_bytes_cannot_be_normalised(tmp_path):
    path = network(tmp_path / "bytes.onnx", kind=UINT8)
    with pytest.raises(ValueError, match="'normalise' is 'standardise', but .* takes bytes"):
        ONNXEncoder(path, normalise="standardise")


@pytest.mark.parametrize("data", [b"", b"hello, this is text", bytes(100), b"\x3a\x02\x0a\x00"])
def test_file_that_is_no_model_is_an_error(tmp_path, data):
    path = tmp_path / "no.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="is not an ONNX model, or is damaged"):
        ONNXEncoder(path)


def test_missing_and_truncated_files_are_errors(tmp_path, file):
    with pytest.raises(ModelError, match=r"nothing\.onnx cannot be read: No such file"):
        ONNXEncoder(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        ONNXEncoder(tmp_path)
    with pytest.raises(ValueError, match="'path' is 3, which is not a path"):
        ONNXEncoder(3)
    whole = file.read_bytes()
    for length in range(0, len(whole), 9973):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="damaged"):
            ONNXEncoder(file)


def test_network_that_cannot_be_run_is_an_error_with_its_reason(tmp_path):
    graph = Graph("unknown")
    x = graph.node("NoSuchOperator", graph.input("pixels", ["n", 3, SIDE, SIDE]))
    graph.output(x, ["n", 64])
    path = tmp_path / "unknown.onnx"
    path.write_bytes(graph.serialise())
    with pytest.raises(ModelError, match=r"unknown\.onnx cannot be run .*NoSuchOperator"):
        ONNXEncoder(path)
    with pytest.raises(ModelError, match=r"unknown\.onnx cannot be run .*NoSuchOperator"):
        open_session(path, **CPU)


def test_network_that_contradicts_itself_is_an_error_with_its_reason(tmp_path):
    path = network(tmp_path / "odd.onnx", shape=("n", 3, 32, 48))
    with pytest.raises(ModelError, match=r"odd\.onnx cannot be run .*Incompatible dimensions"):
        ONNXEncoder(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (("n", 10), "not take pictures in three colours: its input is [?]x10"),
        (("n", 1, SIDE, SIDE), "not take pictures in three colours: its input is [?]x1x32x32"),
        ((8, 3, SIDE, SIDE), "takes 8 pictures at once, not one"),
        (("n", 3, 32, 48), "takes pictures that are not square: its input is [?]x3x32x48"),
    ],
)
def test_network_for_something_else_is_an_error(tmp_path, shape, message):
    with pytest.raises(ModelError, match=message):
        ONNXEncoder(unchanging(tmp_path / "other.onnx", shape))


def test_network_that_takes_no_pixels_is_an_error(tmp_path):
    path = unchanging(tmp_path / "other.onnx", ("n", 3, SIDE, SIDE), INT64)
    with pytest.raises(ModelError, match="does not take pixels: the type of its input is not "):
        ONNXEncoder(path)


def test_network_of_several_inputs_is_an_error(tmp_path):
    graph = Graph("two")
    inputs = [graph.input(name, ["n", 3, SIDE, SIDE]) for name in ("pixels", "mask")]
    graph.output(graph.node("Add", *inputs), ["n", 3, SIDE, SIDE])
    path = tmp_path / "two.onnx"
    path.write_bytes(graph.serialise())
    with pytest.raises(ModelError, match="takes pixels, mask, not pictures alone"):
        ONNXEncoder(path)


def test_network_that_gives_too_much_is_an_error(tmp_path):
    path = network(tmp_path / "much.onnx", size=4096)
    with pytest.raises(ModelError, match="gives 4096 values: 2 to 2048"):
        ONNXEncoder(path)


def test_name_changes_with_the_file_and_the_options(file):
    options = [{}, {"channels": "BGR"}, {"align": "dlib"}, {"normalise": "standardise"}]
    names = {ONNXEncoder(file, **each).name for each in options}
    assert len(names) == 4
    assert ONNXEncoder(file).name in names
    network(file, seed=1)
    assert ONNXEncoder(file).name not in names
    assert ONNXEncoder(file, name="mine").name == "mine"


def test_nothing_is_loaded_before_it_is_needed(file):
    encoder = ONNXEncoder(file)
    assert pickle.loads(pickle.dumps(encoder)).name == encoder.name
    with pytest.raises(TypeError):
        pickle.dumps(loaded(file))


def test_signature_has_names_types_and_shapes(file):
    session = loaded(file)._session
    (pixels,), (encodings,) = read_signature(file)
    assert pixels == Tensor(session.get_inputs()[0].name, "float32", (None, 3, SIDE, SIDE))
    assert encodings == Tensor(session.get_outputs()[0].name, "float32", (None, 64))


@pytest.mark.parametrize("size", [0, -1, "n"])
def test_dimension_that_varies_is_none_however_the_file_writes_it(tmp_path, size):
    (pixels,), _ = read_signature(unchanging(tmp_path / "any.onnx", (size, 3, SIDE, SIDE)))
    assert pixels.shape == (None, 3, SIDE, SIDE)


def test_size_that_follows_from_the_network_need_not_be_stated_by_the_file(tmp_path):
    path = network(tmp_path / "silent.onnx", output=("n", "d"))
    assert ONNXEncoder(path).size == 64


def test_weights_among_the_inputs_are_no_inputs(tmp_path):
    """Files from before 2019 list them there."""
    graph = Graph("old")
    x = graph.input("pixels", ["n", 3, SIDE, SIDE])
    weight = graph.constant(np.ones((SIDE, 2), np.float32))
    graph.input(weight, [SIDE, 2])
    x = graph.node("ReduceMean", graph.node("MatMul", x, weight), axes=[1], keepdims=0)
    graph.output(x, ["n", SIDE, 2])
    path = tmp_path / "old.onnx"
    path.write_bytes(graph.serialise())
    encoder = loaded(path)
    assert encoder.size == 64
    assert encoder.encode(chips()).shape == (3, 64)


def test_face_is_turned_upright_to_where_the_network_wants_it():
    """Five marks on a canvas, placed as dlib's landmarks would be, at several angles and sizes."""
    points = alignment_templates.arcface()
    for degrees, size, place in ((0, 60, (200, 150)), (25, 90, (300, 240)), (-40, 400, (500, 460))):
        turn = np.exp(1j * np.deg2rad(degrees)) * size
        eyes_and_nose = ((points - 0.5) @ (1, 1j)) * turn + complex(*place)
        left, right, nose = eyes_and_nose
        across = 0.15 * (right - left)
        marks = [right + across, right - across, left - across, left + across, nose]
        landmarks = np.array([(mark.real, mark.imag) for mark in marks])
        canvas = np.zeros((900, 1000, 3), np.uint8)
        for x, y in landmarks:
            cv2.circle(canvas, (round(x), round(y)), max(2, size // 40), (255, 255, 255), -1)
        (chip,) = alignment_templates.chips(canvas, landmarks, [points], 112)
        rows, columns = np.nonzero(chip[..., 0] > 60)
        lower = rows > 112 * points[:2, 1].mean() + 10
        assert np.abs(rows[~lower].mean() - 112 * points[:2, 1].mean()) < 1.5
        assert np.abs(rows[lower].mean() - 112 * points[2, 1]) < 1.5
        assert np.abs(columns.mean() - 56) < 1.5


def test_templates_have_the_eyes_above_the_nose_and_the_nose_above_the_mouth():
    assert alignment_templates.arcface()[:2] * 112 == pytest.approx(
        np.array(alignment_templates.ARCFACE)[:2]
    )
    for points in (alignment_templates.arcface(), alignment_templates.dlib()):
        left, right, nose = points
        assert left[0] < nose[0] < right[0]
        # As far below the eyes as under real noses, see `pose.pitch`.
        assert 0.7 < (nose[1] - (left[1] + right[1]) / 2) / (right[0] - left[0]) < 0.85
    tip, mouth = alignment_templates.ARCFACE[2][1], alignment_templates.ARCFACE[3][1]
    assert tip < 112 * alignment_templates.arcface()[2, 1] < mouth


def test_templates_are_made_of_as_many_views_as_with_dlib(file, faces):
    image = decode_image(faces["astronaut"])
    landmarks = Engine().find_faces(image)[0].landmarks
    encoder = ONNXEncoder(file)
    views = encoder.views(image, landmarks)
    assert len(views) == len(VIEWS)
    assert np.array_equal(views[0], encoder.chip(image, landmarks))
    assert all(view.shape == (SIDE, SIDE, 3) and view.dtype == np.uint8 for view in views)
    assert len({view.tobytes() for view in views}) == len(VIEWS)
