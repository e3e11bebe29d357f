"""Knowing what a policy is worth before and while people meet it: off-policy, A/B, interleaving."""
