"""The parts of benchmarks/frameworks.py."""
