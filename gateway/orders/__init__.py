"""Click-to-call orders on their way to an appliance: limits, circuit breaker, fallback, and what processes share.

An order is on disk before anything here happens.
"""
