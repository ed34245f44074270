"""Event sources that the gateway goes and gets."""
