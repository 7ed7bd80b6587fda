"""Files: what was saved comes back equal, and nothing else than ValueError comes of a bad file."""

from __future__ import annotations

import json
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel, load
from skdistill.compact import CategoryTable, InputGrid, LinearTable, TreeTable
from skdistill.compact.file_format import MAX_BYTES, from_bytes, to_bytes
from skdistill.utils.files import write_whole
from tests.compact.files import PREFIX, header_of, paths_of, sealed
from tests.strategies import adversarial_rows, compact_models, seeds


def example():
    grid = InputGrid([1, 2], [0, 2, 3], np.array([-1, 1, 0.5], np.float32))
    values = [[1, -1, 0], [0, 1, -1], [-1, 0, 1]]
    children = [1, ~1], [~0, ~2]
    nodes = [0, ~2], [0, 1], [1, 0], *children, [True, False]
    trees = TreeTable(grid, *nodes, values, "ternary", 37)
    linear = LinearTable([0], [0.5], [2.0], 8, [[1, 2, -3]], 4)
    names = ["höhe", "b", "c"]
    categories = CategoryTable([0], [["x", "ÿ"]], [3, 1, 0, 2])
    classes = ["a", "b", "ß"]
    return CompactModel(3, [1, 2, 3], 0.5, "softmax", classes, [trees, linear], names, categories)


def changed(path, value):
    """The example's file with one entry of its header replaced."""
    header, arrays = header_of(to_bytes(example()))
    *way, last = path
    entry = header
    for key in way:
        entry = entry[key]
    entry[last] = value
    return sealed(header, arrays)


@given(compact_models() | compact_models(regression=True), seeds)
def test_what_is_written_is_read_back_equal(model, seed):
    content = to_bytes(model)
    back = from_bytes(content, CompactModel)
    assert back.equals(model)
    assert to_bytes(back) == content
    X = adversarial_rows(model, seed, n=20)
    assert np.array_equal(back.scores(X), model.scores(X))
    assert back.predict(X).tolist() == model.predict(X).tolist()
    assert back.input_dtype == model.input_dtype


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["a", "bb"], "U10"),
        np.array(["", "\ud800"]),
        np.array(["a", 1], object),
        np.array([True, False]),
        np.array([0.1, -2.5], np.float32),
        np.array([0.1, 1e300]),
        np.array([0, 255], np.uint8),
        np.array([0, 2**64 - 1], np.uint64),
        np.array([-(2**63), 3]),
        np.array([1, 2], ">i4"),
        np.array([1.5, 2], np.float16),
        np.array([1.5, True], object),
    ],
)
def test_labels_of_every_kind_keep_value_and_type(classes):
    model = CompactModel(1, [1], 1.0, "sigmoid", classes)
    back = from_bytes(to_bytes(model), CompactModel)
    assert back.equals(model)
    assert [type(label) for label in back.classes] == [type(label) for label in model.classes]
    assert back.predict([[0]]).tolist() == classes[1:].tolist()


def test_load_reads_what_save_wrote(tmp_path):
    path = tmp_path / "modell ü.skd"
    example().save(path)
    assert load(path).equals(example())
    assert load(str(path)).equals(example())
    assert os.listdir(tmp_path) == [path.name]


def test_a_saved_file_obeys_the_umask_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "model.skd"
    path.write_bytes(b"old")
    before = os.umask(0o027)
    try:
        example().save(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(path).equals(example())


def test_a_name_as_long_as_the_system_allows_can_be_saved(tmp_path):
    path = tmp_path / ("m" * 255)
    example().save(path)
    assert load(path).equals(example())


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_model_that_cannot_be_written_leaves_everything_as_it_was(tmp_path, old):
    path = tmp_path / "model.skd"
    if old is not None:
        path.write_bytes(old)
    for labels in (np.array([("a",), None], object), np.array([1.5, 2], np.longdouble)):
        with pytest.raises(ValueError, match="cannot be saved"):
            CompactModel(1, [0], 1.0, "sigmoid", labels).save(path)
    assert os.listdir(tmp_path) == ([] if old is None else ["model.skd"])
    assert old is None or path.read_bytes() == old


def test_no_temporary_file_is_left_when_the_rename_fails(tmp_path):
    (tmp_path / "model.skd").mkdir()
    with pytest.raises(OSError, match=r"model\.skd"):
        example().save(tmp_path / "model.skd")
    assert os.listdir(tmp_path) == ["model.skd"]


def test_no_temporary_file_is_left_when_writing_fails(tmp_path):
    with pytest.raises(TypeError):
        write_whole(tmp_path / "x", "not bytes")
    assert os.listdir(tmp_path) == []


def test_a_missing_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")


def test_an_oversized_file_is_refused_unread(tmp_path):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse
    with pytest.raises(ValueError, match="more than the"):
        load(path)


def test_truncation_at_every_byte_is_refused():
    content = to_bytes(example())
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"not a skdistill|checksum"):
            from_bytes(content[:length], CompactModel)


def test_every_flipped_bit_is_refused():
    content = bytearray(to_bytes(example()))
    for position in range(len(content)):
        content[position] ^= 1 << position % 8
        with pytest.raises(ValueError, match=r"not a skdistill|version|checksum"):
            from_bytes(bytes(content), CompactModel)
        content[position] ^= 1 << position % 8
    assert from_bytes(bytes(content), CompactModel).equals(example())


@pytest.mark.parametrize("version", [0, 2, 2**32 - 1])
def test_other_versions_are_refused_by_their_number(version):
    header, arrays = header_of(to_bytes(example()))
    with pytest.raises(ValueError, match=f"version {version}"):
        from_bytes(sealed(header, arrays, version=version), CompactModel)


def values(scale):
    return CompactModel(2, [5, -7], scale, "identity", None)


def test_a_scale_is_a_number_or_one_for_each_score():
    content = to_bytes(values([0.5, 3e-30]))
    assert from_bytes(content, CompactModel).equals(values([0.5, 3e-30]))
    header, arrays = header_of(content)
    assert header["scale"] == [0.5, float(np.float32(3e-30))]
    header["scale"] = 0.5
    assert from_bytes(sealed(header, arrays), CompactModel).equals(values(0.5))


@pytest.mark.parametrize(
    "scale", [[], [1.0], [1.0, 2.0, 3.0], [1.0, "2"], [[1.0, 2.0]], [1.0, None], [0.0, 1.0]]
)
def test_wrong_scales_are_refused(scale):
    header, arrays = header_of(to_bytes(values([0.5, 2.0])))
    with pytest.raises(ValueError, match="scale"):
        from_bytes(sealed({**header, "scale": scale}, arrays), CompactModel)


def test_other_files_are_refused():
    header, arrays = header_of(to_bytes(example()))
    for content in (b"", b"skdistil", b"\x80\x04K\x01.", sealed(header, arrays, magic=b"SKDISTIL")):
        with pytest.raises(ValueError, match="not a skdistill"):
            from_bytes(content, CompactModel)


def test_bytes_behind_the_last_table_are_refused():
    header, arrays = header_of(to_bytes(example()))
    with pytest.raises(ValueError, match="behind the last table"):
        from_bytes(sealed(header, arrays + b"\0"), CompactModel)
    with pytest.raises(ValueError, match="are left"):
        from_bytes(sealed(header, arrays[:-1]), CompactModel)


def test_a_header_longer_than_the_file_is_refused():
    content = PREFIX.pack(b"skdistil", 1, 2**32 - 1) + b"{}"
    with pytest.raises(ValueError, match="header is longer"):
        from_bytes(content + struct.pack("<I", zlib.crc32(content)), CompactModel)


def test_trees_with_a_cycle_are_refused():
    header, arrays = header_of(to_bytes(example()))
    words = np.frombuffer(arrays[: len(arrays) // 4 * 4], "<i4").copy()
    left = 2 + 3 + 3 + 2 + 2 + 2  # grid, roots, feature, threshold come before
    assert words[left : left + 2].tolist() == [1, ~1]
    words[left] = 0
    with pytest.raises(ValueError, match="cycle"):
        from_bytes(sealed(header, words.tobytes() + arrays[words.nbytes :]), CompactModel)


def test_nan_directions_other_than_0_and_1_are_refused():
    header, arrays = header_of(to_bytes(example()))
    at = 4 * (2 + 3 + 3 + 2 + 2 + 2 + 2 + 2)
    assert arrays[at : at + 2] == b"\x01\x00"
    with pytest.raises(ValueError, match="0 and 1"):
        from_bytes(sealed(header, arrays[:at] + b"\x02" + arrays[at + 1 :]), CompactModel)


ARRAYS = ["tables.0.grid.edges", "tables.0.feature", "tables.0.values", "tables.1.weights"]
LIES = f"""[-1], [{2**40}], [{2**62}, 0], [{10**30}, 0], [0], [], [-2, -3], [1, 1, 1], {[1] * 100},
    3, null, "3", ["3"], [3.0], [true], [[3]], {{"0": 3}}, [null]"""


def listed(text):
    return json.loads(f"[{text}]")


def keys(path):
    """Keys and numbers of an entry of the header."""
    return [int(key) if key.isdigit() else key for key in path.split(".")]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("lie", listed(LIES), ids=repr)
def test_shapes_that_the_file_does_not_hold_are_refused(array, lie):
    with pytest.raises(ValueError):
        from_bytes(changed([*keys(array), "shape"], lie), CompactModel)


@pytest.mark.parametrize("array", [*ARRAYS, "tables.0.nan_left", "categories.ranks"])
def test_arrays_have_the_dtype_of_their_field(array):
    header, _ = header_of(to_bytes(example()))
    entry = header
    for key in keys(array):
        entry = entry[key]
    for dtype in {"<i4", "<f4", "|u1", "|b1", "<i8", "O", "<f8", ">i4", 4, None, "i4", "<M8"}:
        if dtype == entry["dtype"]:
            continue
        content = changed([*keys(array), "dtype"], dtype)
        if (array, dtype) == ("tables.0.grid.edges", "<i4"):  # edges may be either
            assert from_bytes(content, CompactModel).input_dtype == "int32"
            continue
        with pytest.raises(ValueError):
            from_bytes(content, CompactModel)


def test_tables_whose_shapes_trade_places_are_refused():
    header, arrays = header_of(to_bytes(example()))
    shape = header["tables"][0]["values"]["shape"]
    shape[:] = [*shape[::-1], 1]
    with pytest.raises(ValueError, match="dimension"):
        from_bytes(sealed(header, arrays), CompactModel)


HUGE = 10**400
WRONG = {
    "n_features": '0, -1, "3", 3.0, null, true, [3], {}, 2',
    "bias": f"""null, [], [0.5, 0, 0], ["1", "2", "3"], [[1, 2, 3]], [1, 2], {{}}, "123", 5,
        [null, null, null], [{2**40}, 0, 0], [{HUGE}, 0, 0], [true, false, true], [1.0, 2.0, 3.0],
        [[1], [2, 3], []]""",
    "scale": f'null, "0.5", [], 0, -1, NaN, Infinity, {{}}, true, 1e300, {HUGE}',
    "link": 'null, "sigmoid", "identity", "eval", 3, [], {}, ["softmax"]',
    "classes": 'null, [], "abc", 3, {}, {"dtype": "U1"}, {"labels": ["a", "b", "c"]}',
    "classes.labels": """null, "abc", [], ["a", "b"], ["a", "a", "b"], [["a"], ["b"], ["c"]], {},
        [null, null, null], [{}, 1, 2], [1, 2, 3], [0.5, "b", "c"], [true, false, "c"]""",
    "classes.dtype": """null, 3, "i8", "b", "f8", "V8", "S1", "c16", "M8[s]", "m8", "f8,f8", "?",
        "i9", "(3,)i8", [["a", "i8"]], {"names": ["a"], "formats": ["i8"]}, "(1 1)f4", "T", "a5",
        "", "f8;", "O8,", true, {}""",
    "feature_names": """"abc", 3, ["a"], [1, 2, 3], {"a": 1, "b": 2, "c": 3}, [null, null, null],
        [["a"], "b", "c"], true""",
    "threshold": f'null, 1, 0.0, "0", true, [], {{}}, {HUGE}',
    "tables": 'null, [], {}, "trees", 3, [null], [[]], [{}], {"0": {}}',
    "tables.0": 'null, {}, [], {"kind": "trees"}, "trees"',
    "tables.1": "null, {}, [], 3",
    "tables.0.kind": 'null, "linear", "grid", "dense", 3, [], {}',
    "tables.0.grid": 'null, [], "grid", 3, {}, {"kind": "grid"}',
    "tables.0.grid.kind": 'null, "trees", "categories", []',
    "tables.0.grid.edges": 'null, {}, [], "edges", 3',
    "tables.0.value_bits": f'null, 1, 17, 8.0, true, "8", "binary", [], {HUGE}',
    "tables.0.unit": f"null, 0, -1, 1.0, true, [], {HUGE}",
    "tables.0.roots": "null, [], {}, 0, [0]",
    "tables.1.value_bits": '2, 1, 17, 8.0, true, "8", null, {}',
    "tables.1.input_bits": f'1, 17, 8.0, true, "8", null, {{}}, {HUGE}',
    "categories": 'null, {}, [], {"kind": "categories"}',
    "categories.kind": '"trees", "linear", "grid", null',
    "categories.labels": """null, [], "ab", ["ab"], [["a", 1]], [[1.5, 2]], [["b", "a"]], [["x"]],
        [["a", "b"], ["c"]], {}, [[null, "x"]], [[]]""",
}


@pytest.mark.parametrize("path", WRONG)
def test_wrong_entries_of_the_header_are_refused(path):
    for value in listed(WRONG[path]):
        with pytest.raises(ValueError):
            from_bytes(changed(keys(path), value), CompactModel)
            pytest.fail(f"accepted {value!r}")


def test_string_labels_take_the_memory_that_they_need_whatever_width_is_claimed():
    assert from_bytes(changed(["classes", "dtype"], "<U99999999999"), CompactModel).equals(
        example()
    )


@pytest.mark.parametrize(
    "name",
    [
        "n_features",
        "bias",
        "scale",
        "link",
        "classes",
        "tables",
        "feature_names",
        "categories",
        "threshold",
    ],
)
def test_missing_entries_of_the_header_are_refused(name):
    header, arrays = header_of(to_bytes(example()))
    del header[name]
    with pytest.raises(ValueError, match="malformed header"):
        from_bytes(sealed(header, arrays), CompactModel)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"3",
        b'"grid"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"grid": {"a": }}',
    ],
    ids=range(10),
)
def test_headers_that_are_no_object_are_refused(text):
    with pytest.raises(ValueError):
        from_bytes(sealed(text), CompactModel)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


PATHS = list(paths_of(header_of(to_bytes(example()))[0]))


@given(st.sampled_from(PATHS), json_values)
def test_any_change_of_the_header_gives_a_valid_model_or_a_value_error(path, value):
    content = changed(path, value)
    try:
        model = from_bytes(content, CompactModel)
    except ValueError:
        return
    assert from_bytes(to_bytes(model), CompactModel).equals(
        model
    )  # what was accepted is a model like any other
    assert model.scores(np.zeros((1, model.n_features))).shape == (1, model.n_scores)


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_any_change_of_the_arrays_gives_a_valid_model_or_a_value_error(position, byte):
    header, arrays = header_of(to_bytes(example()))
    arrays = bytearray(arrays)
    arrays[position % len(arrays)] = byte
    try:
        model = from_bytes(sealed(header, bytes(arrays)), CompactModel)
    except ValueError:
        return
    X = adversarial_rows(model, position, n=10)
    assert (np.abs(model.scores(X).astype(np.int64)) <= model.score_bound).all()
