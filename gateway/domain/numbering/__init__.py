"""How a telephone number or an extension is read, wherever it came from."""
