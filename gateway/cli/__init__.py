"""The command ``cti-gateway`` (``main.py``), and its subcommands, one file for each group of them."""
