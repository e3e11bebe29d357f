"""Rows out of files and queries: formats, encodings, delimiters, and the damage files have."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from retrieval.errors import CatalogError
from retrieval.loading.records import Reject, Row
from retrieval.loading.sources import name_of, rows

CELLS = [
    {"id": "1", "name": "Blue shirt", "price": "10"},
    {"id": "2", "name": 'Red, "wide" shoe', "price": "20"},
    {"id": "3", "name": "Café crème", "price": "30"},
]


def delimited(delimiter=",", cells=CELLS):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"' if delimiter in cell or '"' in cell else cell

    lines = [delimiter.join(cells[0])]
    lines += [delimiter.join(map(quoted, row.values())) for row in cells]
    return "\n".join(lines) + "\n"


def read(path):
    return list(rows(path))


def cells_of(path):
    found = read(path)
    assert all(isinstance(row, Row) for row in found), found
    return [row.cells for row in found]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_delimiter_and_encoding_are_found(tmp_path, delimiter, encoding):
    path = tmp_path / "shop.csv"
    path.write_bytes(delimited(delimiter).encode(encoding))
    assert cells_of(path) == CELLS


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_are_all_read(tmp_path, ending):
    path = tmp_path / "shop.csv"
    path.write_bytes(delimited().replace("\n", ending).encode())
    assert cells_of(path) == CELLS


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(row) for row in CELLS),
        json.dumps(CELLS),
        json.dumps(CELLS, indent=2),
        json.dumps({"products": CELLS}, indent=1),
        json.dumps({"products": CELLS}),
        "\n\n".join(json.dumps(row, indent=1) for row in CELLS),
    ],
    ids=["lines", "array", "indented", "wrapped", "wrapped line", "objects"],
)
def test_json_shapes_are_all_read(tmp_path, text, packed):
    path = tmp_path / "shop.data"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert cells_of(path) == CELLS


def test_json_array_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.loading.jsonrows.CHUNK", 7)
    many = [{"id": n, "name": f"item {n} ]}}, {n}"} for n in range(200)]
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(many))
    assert cells_of(path) == many


@pytest.mark.parametrize("packed", [False, True])
def test_parquet_keeps_types(tmp_path, packed):
    path = tmp_path / "shop.parquet"
    table = pa.table({"id": [1, 2], "tags": [["a", "b"], []], "price": [1.5, None]})
    pq.write_table(table, path)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert cells_of(path) == [
        {"id": 1, "tags": ["a", "b"], "price": 1.5},
        {"id": 2, "tags": [], "price": None},
    ]


def test_lying_extension_is_no_matter(tmp_path):
    path = tmp_path / "shop.parquet.gz"
    path.write_text(delimited("\t"))
    assert cells_of(path) == CELLS


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE goods (id INTEGER, name TEXT)"))
        connection.execute(sa.text("INSERT INTO goods VALUES (1, 'Mug'), (2, 'a:b')"))
    engine.dispose()
    return f"sqlite:///{path}"


def test_query_rows_are_read(database):
    found = cells_of(f"{database}::SELECT id, name AS title FROM goods WHERE name != 'x:y'")
    assert found == [{"id": 1, "title": "Mug"}, {"id": 2, "title": "a:b"}]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{}::DROP TABLE goods", "expected a SELECT"),
        ("{}::SELECT colour FROM goods", "no such column"),
        ("{}", "without a query"),
        ("sqlite:////nowhere/else.db::SELECT 1", "no such database file"),
        ("nodb://host::SELECT 1", "cannot use the database URL"),
    ],
)
def test_bad_queries_are_refused(database, source, message):
    with pytest.raises(CatalogError, match=message):
        read(source.format(database))


def test_password_is_never_shown():
    with pytest.raises(CatalogError) as caught:
        read("nodb://me:secret@host/db::SELECT 1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n \n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG picture"),
        (b"PK\x03\x04" + bytes(100), "Excel workbook"),
        (b"SQLite format 3\x00" + bytes(100), "SQLite database"),
        (bytes(range(256)) * 20, "binary file"),
        (b"PAR1 but no parquet", "broken Parquet"),
        (b"\x1f\x8b\x08 broken gzip", "gzip"),
        (gzip.compress(b""), "is empty"),
        (b"1,2,3\n4,5,6\n", "expected column names"),
        (b"id,name,name\n1,a,b\n", "more than one column called 'name'"),
        (b"{ not json", "not JSON"),
    ],
)
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "shop.csv"
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=message):
        read(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CatalogError, match=r"nowhere\.csv.*No such file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(CatalogError, match="directory"):
        read(tmp_path)


def test_wrong_column_count_is_reject(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("id,name\n1,a\n2\n3,b,c\n\n4,d,,\n")
    found = read(path)
    assert [row.cells["id"] for row in found if isinstance(row, Row)] == ["1", "4"]
    assert [(r.row, r.reason) for r in found if isinstance(r, Reject)] == [
        (3, "1 columns, expected 2"),
        (4, "3 columns, expected 2"),
    ]


def test_quoted_lines_keep_numbers_right(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text('id,name\n1,"two\nlines"\n2,x\n')
    assert [(row.number, row.cells["name"]) for row in read(path)] == [(2, "two\nlines"), (4, "x")]


@pytest.mark.parametrize("tail", ["", "4,d\n", '4,"d"\n5,"e"\n'])
def test_open_quote_loses_one_line(tmp_path, tail):
    path = tmp_path / "shop.csv"
    path.write_text('id,name\n1,a\n2,"broken\n3,c\n' + tail)
    found = read(path)
    rejects = [r for r in found if isinstance(r, Reject)]
    assert [(r.row, r.excerpt) for r in rejects] == [(3, '2,"broken')]
    assert "never closed" in rejects[0].reason
    kept = [row.cells["id"] for row in found if isinstance(row, Row)]
    assert kept == ["1", "3", *(line[0] for line in tail.splitlines())]


def test_open_quote_ends_before_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.loading.delimited.RUNAWAY", 2000)
    path = tmp_path / "shop.csv"
    path.write_text('id,name\n1,"broken\n' + "".join(f"{n},item\n" for n in range(2, 900)))
    found = read(path)
    assert sum(isinstance(r, Reject) for r in found) == 1
    assert sum(isinstance(r, Row) for r in found) == 898


def test_single_bad_bytes_are_rejects(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_bytes("id,name\n1,Café\n".encode() + b"2,caf\xe9\n3,tea\n")
    found = read(path)
    assert [r.number for r in found if isinstance(r, Row)] == [2, 4]
    (reject,) = [r for r in found if isinstance(r, Reject)]
    assert (reject.row, reject.column) == (3, "name")
    assert "encoding" in reject.reason
    reject.excerpt.encode()


def test_latin_file_is_read_whole(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_bytes(
        ("id,name\n" + "".join(f"{n},Größe £{n} café\n" for n in range(9))).encode("cp1252")
    )
    found = read(path)
    assert [r.cells["name"] for r in found if isinstance(r, Row)][3] == "Größe £3 café"
    assert [r.kind for r in found if isinstance(r, Reject)] == ["note"]


def test_bad_json_lines_are_rejects(tmp_path):
    path = tmp_path / "shop.jsonl"
    lines = [b'{"id": 1}', b"{broken", b"[1]", b'{"id": 2, "name": "caf\xe9"}', b'{"id": 3}']
    path.write_bytes(b"\n".join([*lines, b"[" * 100_000]))
    found = read(path)
    assert [r.cells["id"] for r in found if isinstance(r, Row)] == [1, 3]
    assert [(r.row, r.column) for r in found if isinstance(r, Reject)] == [
        (2, ""),
        (3, ""),
        (4, "name"),
        (6, ""),
    ]


def test_broken_first_json_line_is_reject(tmp_path):
    path = tmp_path / "shop.jsonl"
    path.write_text('{"id": oops}\n{"id": 1}\n')
    found = read(path)
    assert isinstance(found[0], Reject)
    assert found[1].cells == {"id": 1}


def test_broken_array_keeps_what_came_before(tmp_path):
    path = tmp_path / "shop.json"
    path.write_text('[{"id": 1}, {"id": 2}, {"id": oops}, {"id": 4}]')
    found = read(path)
    assert [r.cells["id"] for r in found if isinstance(r, Row)] == [1, 2]
    assert found[-1].row == 3
    assert "from here on" in found[-1].reason


def test_cut_gzip_keeps_what_came_before(tmp_path):
    path = tmp_path / "shop.csv.gz"
    text = "id,name\n" + "".join(f"{n},item {n * 7919 % 1009}\n" for n in range(30_000))
    packed = gzip.compress(text.encode())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    found = read(path)
    assert sum(isinstance(r, Row) for r in found) > 15_000
    assert "breaks off" in found[-1].reason


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/data/shop.csv.gz", "shop"),
        ("shop.items.jsonl", "shop.items"),
        ("sqlite:///data/shop.db::SELECT 1", "shop"),
        ("postgresql://me:pw@host/warehouse?x=1::SELECT 1", "warehouse"),
    ],
)
def test_name_of_sources(source, name):
    assert name_of(source) == name
