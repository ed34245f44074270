"""The second port, for exchanges whose requests no HTTP server takes: heads are mended, places divided."""
