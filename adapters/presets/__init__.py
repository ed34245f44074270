"""Appliances described by data: the preset language, and the engine that runs it.

The presets are the files in ``catalogue``; nothing here knows a single appliance.
"""
