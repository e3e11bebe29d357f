"""Tuning the encoder of a project on its own catalog, on feedback and on judgements."""
