"""Tests of ``gateway/logins``."""
