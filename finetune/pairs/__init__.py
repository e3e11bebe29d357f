"""Preference pairs from feedback: what was meant, chosen and rewritten, in TRL's columns."""
