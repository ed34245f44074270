"""Benchmarks side by side with what users would run instead. They measure; ``tests/`` decides what is correct."""
