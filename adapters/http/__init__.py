"""The HTTP client of every adapter: requests, answers, connections, TLS, and what each failure means.

It keeps to one deadline for each attempt and knows whether anything was sent. It knows no appliance.
"""
