"""Dialling by SOAP: zeep, and what it lacks for WSDLs and servers as they are in the field.

zeep is imported only here. What is said of it is so in zeep 4.3.3, what is said of PHP in its SoapClient and SoapServer
of 8.2, against which ``python -m tests.parity`` holds what we send.
"""
