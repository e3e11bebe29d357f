"""Feedback as data: read, written, counted, bounded, forgotten, with a trail of what was done."""

from finetune.events.files import ReadSessions, read_sessions, write_sessions
from finetune.events.moving import sessions_of

__all__ = ["ReadSessions", "read_sessions", "sessions_of", "write_sessions"]
