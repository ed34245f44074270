"""zeep. URL OPERATION JSON-OF-PARAMETERS; prints the call id. Of rpc/encoded parts it lets none be left out."""

import json
import sys

import zeep

url, operation, written = sys.argv[1:]
client = zeep.Client(f"{url}?wsdl", transport=zeep.Transport(timeout=20, operation_timeout=20))
fields = json.loads(written)
if url.endswith(".php"):
    parts = client.service._binding._operations[operation].input.body.type.elements
    fields = {name: "" for name, _ in parts} | fields
print(getattr(client.service, operation)(**fields).id)
