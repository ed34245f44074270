"""The subcommands of ``cti-gateway``, one file for each group of them."""
