"""The mapping language: how the body of a webhook, whatever its shape, becomes events of calls.

Pure: a request as bytes and text comes in, events with the origin of each value go out. Nothing here knows the web, the
store, or the messages of the domain; ``wire/webhooks`` does. docs/webhooks.md explains the language with examples.
"""
