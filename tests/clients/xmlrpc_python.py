"""Python's xmlrpc.client. URL MODE OPERATION JSON-OF-PARAMETERS; modes: position, struct, nil. Prints the call id."""

import json
import sys
import xmlrpc.client

url, mode, operation, written = sys.argv[1:]
fields = json.loads(written)
arguments = [fields] if mode == "struct" else list(fields.values())
arguments += [None] if mode == "nil" else []
print(getattr(xmlrpc.client.ServerProxy(url, allow_none=True), operation)(*arguments)["id"])
