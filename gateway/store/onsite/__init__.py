"""What this gateway keeps of gateways on site: their keys, their events once each, the orders on their way to them.

A gateway on site stands in an office whose network lets nobody in. It connects to this one, which never connects to
it: it brings what its exchanges told, and waits for orders. Which worker or node it speaks to is all the same, for
everything that it is told and asked stands in the database.
"""
