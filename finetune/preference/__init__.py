"""Preference training: adapters from pairs (DPO) or from unpaired verdicts (KTO)."""
