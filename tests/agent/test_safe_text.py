"""What a renderer makes of text that others wrote: a real Markdown renderer, a real HTML parser."""

import unicodedata
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agent.safe_text import html, markdown, plain, plain_values, safe_picture, safe_url

# Everything on: HTML, links of bare addresses also without a scheme, tables, strikethrough.
RENDERER = MarkdownIt("commonmark", {"html": True, "linkify": True, "breaks": True})
RENDERER.enable(["table", "strikethrough", "linkify"])
RENDERER.linkify.set({"fuzzy_link": False})

ORDINARY = (
    "3/4 sleeve new", "C++", "R&B", "<3", "5' x 7'", "AC/DC", "100% wool", "a < b", "café crème",
    "snake_case_name", "Size: M/L", "Dr. Who (2005)", "Levi's 501®", "#1 Dad Mug", "50 - 60 cm",
    "5 + 5", "ID 4711 | Blue", "Q&A", "~30 cm", "e.g. blue", "Straße", "日本語", "1️⃣ first",
    "👨\u200d👩\u200d👧 family", "می\u200cخواهم", "क्\u200dष", "$5 off!", "who?", "50:50",
    "see page 3.", "Mr. @home",
)  # fmt: skip
FRAGMENTS = (
    "[x](http://evil.example)", "![x](http://evil.example/p.png)", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>", "javascript:alert(1)",
    "<javascript:alert(1)>", "<http://evil.example>", "<a@evil.example>", "http://evil.example",
    "https://evil.example/?q=", "www.evil.example", "a@evil.example", "mailto:a@evil.example",
    "[x]: http://evil.example", "[x]", "[x][y]", "](", "](http://evil.example)", "![", "`", "```",
    "~~", "**", "__", "*", "_", "\\", "\\[", "&lt;b&gt;", "&#60;b&#62;", "&amp;", "\n", "\n\n",
    "\r", "    ", "\t", "# ", "> ", "- ", "1. ", "---", "===", "|---|---|", "|a|b|", "<!--", "-->",
    "<![CDATA[", "]]>", "<?php", "</p>", "<style>", "<svg/onload=alert(1)>", "<", ">", '"', "'",
    "=", "\u202e", "\u200b", "\U000e0041", "\ufeff", "\x00", "\x1b[31m", "a", "blue", " ", ":",
    "FTP://evil.example", "x" + "\u0301" * 8, "data:text/html,<b>", "//evil.example", "/", "http",
)  # fmt: skip
HOSTILE = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), min_size=1, max_size=8
).map("".join)

BENIGN = {"p", "br", "ul", "ol", "li"}
"""Lines, and lists where a line begins like one: nothing of these acts."""


class _Seen(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.words, self.others = set(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [name for name, _ in attrs if (tag, name) != ("ol", "start")]

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.others.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def seen(page):
    """Return what an HTML parser sees."""
    found = _Seen()
    found.feed(page)
    found.close()
    return found


def squeezed(text):
    """Return text without blanks and list signs, which renderers lay out anew."""
    return "".join(c for c in text if not c.isspace() and c not in "-+*.)0123456789")


@settings(max_examples=1500, deadline=None)
@given(HOSTILE)
@example("a\n---")
@example("\\[x](http://evil.example)")
@example("x\n\n    <script>")
def test_markdown_renders_to_words_only(text):
    page = RENDERER.render(markdown(text))
    found = seen(page)
    assert found.tags <= BENIGN
    assert found.attributes == found.others == []
    assert squeezed("".join(found.words)) == squeezed(plain(text))
    # A second parser, the one browsers follow: nothing to take out.
    assert nh3.clean(page, tags=BENIGN, attributes={"ol": {"start"}}).count("<") == page.count("<")


@settings(max_examples=600, deadline=None)
@given(HOSTILE)
def test_html_renders_to_words_only(text):
    for page in (html(text), f'<p title="{html(text)}">{html(text)}</p>'):
        found = seen(page)
        assert found.tags <= {"p"}
        assert set(found.attributes) <= {"title"}
        assert "".join(found.words) == plain(text)


@settings(max_examples=600, deadline=None)
@given(HOSTILE)
def test_plain_leaves_nothing_hidden(text):
    shown = plain(text)
    assert plain(shown) == shown
    for char in shown:
        assert unicodedata.category(char) not in ("Cs", "Cf") or char in "\u200c\u200d" or (
            0x0600 <= ord(char) <= 0x08FF or 0x110BD <= ord(char) <= 0x1343F
        )  # fmt: skip
        assert char in "\n\t" or unicodedata.category(char) != "Cc"


@pytest.mark.parametrize("title", ORDINARY)
def test_ordinary_titles_stay(title):
    assert plain(title) == title
    assert markdown(title) == title


def test_stars_are_shown_as_stars():
    assert RENDERER.render(markdown("3/4 sleeve *new*")) == "<p>3/4 sleeve *new*</p>\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u202eyap", "payyap"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        ("ok" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all"), "ok"),
        ("x\U000e0101y\ufe0fz", "xyz"),
        ("re\u00adset", "reset"),
        ("Z" + "\u0301" * 40, "Z" + "\u0301" * 4),
        ("\x1b]0;title\x07bell", "]0;titlebell"),
        ("a\u2028b\rc\r\nd", "a\nb\nc\nd"),
        ("l\u200di\u200dn\u200dk", "link"),
        ("\ud83d", ""),
    ],
    ids=["bidi", "zero-width", "tags", "variation", "soft-hyphen", "heap", "terminal", "line",
         "joiner", "half"],
)  # fmt: skip
def test_hidden_characters_go(text, shown):
    assert plain(text) == shown


def test_values_inside_values_are_plain():
    assert plain_values({"a\u200b": ["b\u202e", ("c", 1, None, True)]}) == {
        "a": ["b", ("c", 1, None, True)]
    }


@pytest.mark.parametrize(
    "url", ["https://shop.example/a?b=1#c", "http://[::1]:8/x", "HTTP://A.EXAMPLE"]
)
def test_web_addresses_are_kept(url):
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc",
     "//evil.example", "/relative", "ftp://a.example", "http://", "http:///x", "http://a b.example",
     "http://user@evil.example", "http://shop.example:pw@evil.example", "http://a\u202eb.example",
     "http://a.example/\n<script>", 'http://a.example/"onload=', "http://[::1", "http://a:99999/",
     "http://" + "a" * 3000, "", None, " http://a.example", "http:\\\\evil.example"],
)  # fmt: skip
def test_other_addresses_are_withheld(url):
    assert safe_url(url) is None


@pytest.mark.parametrize(
    ("address", "kept"),
    [("images/tee-blue.png", True), ("a/b/c.JPEG", True), ("https://x.example/a.png", True),
     ("../secret.png", False), ("/etc/a.png", False), ("images/x.svg", True),
     ("javascript:a.png", False), ("a.png?x=logout", False), ("//evil.example/a.png", False)],
)  # fmt: skip
def test_pictures_are_files_or_web(address, kept):
    assert (safe_picture(address) is not None) is kept
