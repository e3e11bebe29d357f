"""Feedback as data: read, written, counted, bounded, forgotten, with a trail of what was done."""
