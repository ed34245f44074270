"""SOAP in: the contract that we publish, and requests as old clients write them.

Spyne is imported only here; it describes operations and serves no request.
"""
