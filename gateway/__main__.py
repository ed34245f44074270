"""``python -m gateway`` is the command ``cti-gateway``."""

from gateway.cli.main import main

if __name__ == "__main__":
    main()
