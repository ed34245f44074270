"""Webhooks: exchanges that send every event to one address, ``/in/NAME``, in a form of their own.

The endpoint asks whether the sender may, has the source's mapping (``gateway.mapping``) say what the request is, and
hands the events as messages to the intake, like any wire.
"""
