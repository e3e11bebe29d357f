"""Parts of benchmarks/load.py: people who talk, a model that takes its time, a server, checks."""
