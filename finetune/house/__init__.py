"""The house model: a small causal LM trained from scratch, and the data it is trained on."""
