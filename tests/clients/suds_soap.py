"""suds-community. URL OPERATION JSON-OF-PARAMETERS; prints the call id."""

import json
import sys

from suds.client import Client

url, operation, fields = sys.argv[1:]
client = Client(f"{url}?wsdl", cache=None, timeout=20)
print(getattr(client.service, operation)(**json.loads(fields)).id)
