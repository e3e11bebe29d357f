import pytest

from agent.errors import UserInputError
from agent.utterance import clean_utterance


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  a blue shirt\n", "a blue shirt"),
        ("a\x00 blue\x1b[31m shirt\x7f", "a blue shirt"),
        ("👩‍👧 Schuhe für 50 €, Größe 38", "👩‍👧 Schuhe für 50 €, Größe 38"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("أحذية זול 靴", "أحذية זול 靴"),
    ],
)
def test_control_characters_are_stripped(text, clean):
    assert clean_utterance(text) == clean


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01", "\n\t"])
def test_nothing_said_is_refused(text):
    with pytest.raises(UserInputError, match="the text is empty"):
        clean_utterance(text)


def test_long_text_has_a_limit():
    assert len(clean_utterance("x" * 20_000)) == 20_000
    with pytest.raises(UserInputError, match=r"20,001 characters; at most 20,000"):
        clean_utterance("x" * 20_001)
