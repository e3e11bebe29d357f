"""Files into pages: what each format gives, and what is said of files that cannot be read."""

import re

import pytest

from agent.knowledge import BadPage, Upload, uploads_of
from agent.knowledge.reading import read_bytes
from agent.knowledge.reading.files import MOST_BYTES
from benchmarks.knowledge_sets import pdf


def blocks(name, text):
    content = text if isinstance(text, bytes) else text.encode()
    return [(b.level, b.text) for b in read_bytes(Upload(name, content)).blocks]


def test_markdown_gives_headings_and_paragraphs():
    text = "# One\n\ntwo *three*\nfour\n\n- five\n- `six`\n\n## Seven\n\n> eight"
    assert blocks("a.md", text) == [
        (1, "One"), (0, "two three four"), (0, "five"), (0, "six"), (2, "Seven"), (0, "eight"),
    ]  # fmt: skip


def test_markdown_keeps_line_numbers():
    page = read_bytes(Upload("a.md", b"---\ntitle: T\n---\n\ntext\n\nmore"))
    assert [(b.text, b.number) for b in page.blocks] == [("T", 1), ("text", 5), ("more", 7)]


def test_front_matter_names_the_url():
    page = read_bytes(Upload("a.md", b"---\nurl: https://shop.example/a\n---\ntext"))
    assert page.url == "https://shop.example/a"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/etc/passwd", "file:///x", "7"])
def test_only_web_addresses_are_kept(url):
    assert read_bytes(Upload("a.md", f"---\nurl: {url}\n---\ntext".encode())).url is None


def test_html_drops_what_readers_do_not_see():
    page = """<html><head><title>T</title><style>p {}</style></head><body>
    <nav>menu</nav><div style="display: none">hidden</div><p aria-hidden="true">icon</p>
    <h2>Head</h2><p>one<br>two <b>three</b></p><ul><li>four</li></ul>
    <template>t</template><form>f</form><footer>foot</footer><script>js</script></body></html>"""
    assert blocks("a.html", page) == [(1, "T"), (2, "Head"), (0, "one two three"), (0, "four")]


def test_rows_of_tables_carry_their_heads():
    table = "<table><tr><th>Size</th><th>Chest</th></tr><tr><td>M</td><td>90 cm</td></tr></table>"
    assert blocks("a.html", f"<p>See:</p>{table}")[1] == (0, "Size: M · Chest: 90 cm")


def test_very_deep_html_is_read():
    assert blocks("a.html", "<div>" * 20_000 + "deep" + "</div>" * 20_000) == [(0, "deep")]


def test_pdf_gives_headings_by_size_and_pages():
    text = "# Guide\n## First\nOne sentence here.\n--- page\n## Second\nAnother one there.\n"
    page = read_bytes(Upload("a.pdf", pdf(text)))
    assert [(b.level > 0, b.text, b.number) for b in page.blocks] == [
        (True, "Guide", 1), (True, "First", 1), (False, "One sentence here.", 1),
        (True, "Second", 2), (False, "Another one there.", 2),
    ]  # fmt: skip


def test_lines_that_stand_alone_are_headings():
    text = "HELP\n\nCan I pay later?\n\nYes.\n\nReturns\n\nWithin 30 days\n\nThe end."
    assert blocks("a.txt", text) == [
        (1, "HELP"), (0, "Can I pay later?"), (0, "Yes."), (0, "Returns"), (2, "Within 30 days"),
        (0, "The end."),
    ]  # fmt: skip


def test_plain_text_has_headings_and_lists():
    assert blocks("a.txt", "HELP\n\nWe take:\n- cash\n- cards\n\nBye\n---\nnow") == [
        (1, "HELP"), (0, "We take:"), (0, "cash"), (0, "cards"), (2, "Bye"), (0, "now"),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_of_questions_take_any_separator(mark):
    text = f"Question{mark}Answer\nHow?{mark}So.\n"
    assert blocks("a.csv", text)[1:] == [(2, "How?"), (0, "So.")]


def test_utf16_with_its_mark_is_read():
    assert blocks("a.txt", "größer".encode("utf-16")) == [(0, "größer")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.docx", b"x", "files ending in '.docx' are not read; expected one of .md"),
        ("a.md", b"  \n", "it is empty"),
        ("a.md", b"\x89PNG\r\n\x1a\n", "it is a picture, not text"),
        ("a.md", b"PK\x03\x04abc", "it is a ZIP or office file"),
        ("a.txt", b"a\0b", "it is a binary file"),
        ("a.md", b"# Only\n\n## headings", "it has no text that could be quoted"),
        ("a.md", "one\nstraße".encode("latin-1"), "line 2: it is not UTF-8 text"),
        ("a.md", b"---\nurl: [\n---\ntext", "is no YAML"),
        ("a.html", b"plain", "it has no HTML element"),
        ("a.pdf", b"hello", "it is no PDF: it begins with b'hello'"),
        ("a.pdf", b"%PDF-1.4\nbroken", "it is damaged or unusual"),
        ("a.csv", b"name,price\na,1", "its columns are 'name', 'price'; expected a column"),
        ("a.csv", b"question,answer\nHow?,\n", "row 2: the answer is empty"),
        ("a.csv", b"question,answer\n,So.\n", "row 2: the question is empty"),
        ("a.csv", b"question,answer\nHow?,So, or so.\n", "row 2: it has 3 cells"),
        ("a.csv", b'question,answer\n"How?,So.\n', "it is no CSV"),
        ("../../", b"x", "expected a name"),
        ("a.txt", b"x" * (MOST_BYTES + 1), "at most 20,971,520 are read"),
    ],
)
def test_bad_files_say_what_is_wrong(name, content, message):
    with pytest.raises(BadPage, match=re.escape(message)):
        read_bytes(Upload(name, content))


def test_encrypted_pdfs_are_refused(tmp_path):
    from io import BytesIO

    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf("text"))))
    writer.encrypt("secret", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    with pytest.raises(BadPage, match="it is encrypted; save it without a password"):
        read_bytes(Upload("a.pdf", out.getvalue()))


def test_folders_name_files_by_their_path(tmp_path):
    (tmp_path / "help").mkdir()
    (tmp_path / "help/a.md").write_text("text")
    (tmp_path / "b.txt").write_text("text")
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / ".hidden.md").write_text("text")
    assert [one.source for one in uploads_of([tmp_path])] == ["b.txt", "help/a.md"]


def test_files_of_one_name_are_told(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(name)
    found = list(uploads_of([tmp_path / "one/a.md", tmp_path / "two/a.md", tmp_path / "no.md"]))
    assert found[0] == Upload("a.md", b"one")
    assert "have the same name as a source" in str(found[1])
    assert "No such file" in str(found[2])
