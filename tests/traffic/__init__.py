"""Tests of ``gateway/traffic``."""
