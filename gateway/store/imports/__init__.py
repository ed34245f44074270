"""Imports of the directory: their runs, where a source is staged, how it is loaded and what keeps two apart."""
