"""What the SOAP adapter makes of WSDLs, held against PHP's: ``python -m tests.parity [--server] FOLDER...``.

``samples`` makes arguments from types, ``php`` runs PHP (``soap.php``), ``compare`` holds one file's operations against
it, ``serving`` hands our envelopes to a server, ``meaning`` says where two envelopes differ, ``known`` reads the
justified differences (``known.toml``), ``__main__`` prints.
"""
