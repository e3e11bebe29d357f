from agent.tokens import count


def test_tokens_are_counted_without_cutting():
    assert count([]) == 0
    assert count([""]) == 0
    assert count(["blue shirts", "under 40"]) == 4
    assert count(["blue " * 5_000]) == 5_000


def test_any_text_has_tokens():
    assert count(["half an emoji \ud83d", "рубашка", "👗"]) > 5
