import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from skdistill.chunks import Chunks, CodedChunk, as_chunks

X = np.arange(60, dtype=np.float64).reshape(20, 3)
Y = np.arange(20) % 3
FRAME = pd.DataFrame(X, columns=["a", "b", "c"]).assign(label=Y, w=1.0)


def pieces(*borders):
    ends = [0, *borders, len(X)]
    return [(X[a:b], Y[a:b]) for a, b in itertools.pairwise(ends)]


def rows_of(chunks):
    return np.concatenate([np.asarray(chunk.X, np.float64) for chunk in chunks])


class Again:
    def __iter__(self):
        return iter(pieces(7))


@pytest.mark.parametrize(
    "source", [pieces(3, 3, 11), tuple(pieces(5)), Again(), lambda: iter(pieces(4, 6))]
)
def test_iterables_and_functions(source):
    chunks = Chunks(source)
    for _ in range(2):
        read = list(chunks)
        assert np.array_equal(rows_of(read), X)
        assert np.array_equal(np.concatenate([chunk.y for chunk in read]), Y)
        assert [c.first_row for c in read] == np.cumsum([0] + [len(c.X) for c in read])[
            :-1
        ].tolist()
        assert all(chunk.n_samples for chunk in read)  # an empty one is left out


def test_parquet_arrow_and_duckdb(tmp_path):
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    pa.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=6)
    sources = [tmp_path / "a.parquet", str(tmp_path), pa.dataset.dataset(tmp_path), table, FRAME]
    duckdb = pytest.importorskip("duckdb")
    sources.append(duckdb.sql(f"select * from '{tmp_path}/a.parquet'"))
    for source in sources:
        for _ in range(2):
            read = list(Chunks(source, target="label", sample_weight="w", chunk_size=7))
            assert len(read) > 1
            assert list(read[0].X.columns) == ["a", "b", "c"]
            assert np.array_equal(rows_of(read), X)
            assert np.concatenate([chunk.y for chunk in read]).tolist() == Y.tolist()
            assert np.concatenate([chunk.sample_weight for chunk in read]).sum() == 20


def test_several_target_columns_keep_their_names():
    (chunk,) = Chunks(FRAME, target=["b", "a"])
    assert list(chunk.y.columns) == ["b", "a"]
    assert list(chunk.X.columns) == ["c", "label", "w"]


def test_record_batches_are_tables():
    batches = pa.Table.from_pandas(FRAME[["a", "b"]]).to_batches(max_chunksize=8)
    read = list(Chunks([(batch,) for batch in batches]))
    assert [chunk.X.shape for chunk in read] == [(8, 2), (8, 2), (4, 2)]


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ((x for x in pieces()), {}, TypeError, "generator can be read only once.*pass a list"),
        (X, {}, TypeError, "got ndarray: pass a table in memory to fit itself"),
        (lambda: 3, {}, TypeError, "a function that returned int"),
        ("missing.parquet", {}, FileNotFoundError, "source='missing.parquet' does not exist"),
        (pieces(), {"max_samples": 0}, ValueError, "max_samples=0 must be a whole number of 1"),
        (pieces(), {"chunk_size": 2.5}, ValueError, "chunk_size=2.5 must be a whole number"),
        (pieces(), {"random_state": None}, ValueError, "random_state=None must be a whole number"),
        ([(X, Y, Y, Y)], {}, TypeError, "chunk 0 has 4 parts"),
        ([(X, Y), (X[:, :2], Y)], {}, ValueError, "chunk 1 has 2 columns, .* have 3"),
        ([(X, Y), (X,)], {}, ValueError, "chunk 1 has 1 parts, .* have 2"),
        ([(X, Y), (FRAME, Y)], {}, ValueError, "chunk 1 is of kind pandas, .* of kind array"),
        ([(X, Y[:5])], {}, ValueError, "chunk 0 has 20 rows and 5 of y"),
        ([(Y, Y)], {}, TypeError, r"X of chunk 0 must be a table .* of shape \(20,\)"),
        (
            [FRAME, FRAME.rename(columns={"a": "z"})],
            {},
            ValueError,
            "chunk 1 has the columns .*'z'.* the same columns in the same order",
        ),
        (FRAME, {"target": "no"}, ValueError, "target='no': chunk 0 has no column 'no'"),
        ([X], {"target": "no"}, ValueError, "target='no' names a column, but chunk 0 is an array"),
    ],
)
def test_errors_name_what_is_wrong(source, options, error, message):
    with pytest.raises(error, match=message):
        list(Chunks(source, **options))


def test_what_is_taken_for_chunks():
    for rows in (X, X.tolist(), FRAME, [(1, 2), (3, 4)], [("a", 1)], [], Y, None, 5):
        assert as_chunks(rows) is None
    for chunks in (pieces(), Again(), [([[1, 2], [3, 4]], [0, 1])], [(FRAME,)], Chunks(pieces())):
        assert isinstance(as_chunks(chunks), Chunks)
    with pytest.raises(TypeError, match="generator can be read only once"):
        as_chunks(x for x in pieces())


def encode(chunk):
    return CodedChunk(chunk.X.T.astype(np.uint8), (chunk.y,))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_second_pass(n_jobs):
    chunks = Chunks(pieces(1, 8, 15)).labelled(lambda c: c._replace(y=c.y + 1), n_jobs=n_jobs)
    sample = chunks.sample(lambda chunk: chunk.y.sum())
    assert sample.is_complete
    assert sample.facts == [part.sum() for _, part in pieces(1, 8, 15)]  # before they are labelled
    assert np.array_equal(sample.chunk.y, Y + 1)
    rows = chunks.load(encode, 20)
    assert np.array_equal(rows.shard.codes, X.T)
    assert np.array_equal(rows.shard.arrays[0], Y + 1)


def test_a_source_that_changes():
    chunks = Chunks(pieces(8))
    for n_samples, message in ((19, "had 19 rows .* and more when"), (21, "had 21 .* and 20 when")):
        with pytest.raises(ValueError, match=message):
            chunks.load(encode, n_samples)


def test_progress(capsys):
    Chunks(pieces(8), verbose=1).sample(lambda chunk: None)
    assert "read rows: 20.0 rows" in capsys.readouterr().err
