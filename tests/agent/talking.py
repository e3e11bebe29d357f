"""Take turns in tests."""

from agent.dialogue import respond


def say(parts, session, *texts):
    """Take turns and return the last."""
    for text in texts:
        *_, done = respond(parts, session, text)
    return done


def shown(done):
    return [item.item_id for item in done.slate.items]
