"""The directory's source ``wconnect``: accounts and contacts read from Senior CRM by SOAP."""
