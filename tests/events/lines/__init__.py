"""Lines of text that exchanges write of their calls."""
