"""Measuring and improving understanding and ranking: labels, replay, figures."""
