"""Explains after the fact why a call did, or did not, come up on a screen."""
