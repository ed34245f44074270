"""zeep. URL OPERATION JSON-OF-PARAMETERS; prints the call id."""

import json
import sys

import zeep

url, operation, fields = sys.argv[1:]
client = zeep.Client(f"{url}?wsdl", transport=zeep.Transport(timeout=20, operation_timeout=20))
print(getattr(client.service, operation)(**json.loads(fields)).id)
