"""Configurations that stand for a kind of installation, and what they are proved with."""
