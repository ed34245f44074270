"""A gateway on site: a small program in an office whose network lets nobody in.

It runs sources of events and appliances there, keeps what they tell in a spool on its disk, and brings it to the main
gateway; from there it fetches orders. All connections go out, to the main gateway's one address.
"""
