"""The loop: feedback to pairs to an adapter to the gate to serving, round after round."""
