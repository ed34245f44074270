"""Dialling by SOAP: zeep, and what it lacks for WSDLs and servers as they are in the field.

zeep is imported only here.
"""
