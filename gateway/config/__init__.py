"""The configuration: tables of settings, the file they come from, and how they are shown and checked.

It opens nothing but the files that it is told of.
"""
