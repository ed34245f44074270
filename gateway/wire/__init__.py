"""What machines speak: GET and form listeners, SOAP, XML-RPC, click-to-call.

Every wire reads its bytes, names one of the operations of ``operations.py``, gives its parameters as text to
``intake.py`` and renders the reply; every error is translated once, in the wire's own ``refuse``. Nothing
here decides about calls (``gateway.handlers`` does) or remembers them. ``http.py`` is the entrance; Spyne,
imported by ``spyne_compat.py`` only, is where the published contract comes from.
"""
