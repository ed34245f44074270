"""Lines of text that an exchange writes of its calls (SMDR, CDR), as events.

``description`` is the language in which one kind of exchange's lines are described, ``presets`` holds the ready-made
ones. On the way of a line: ``transports`` bring bytes, ``framing`` cuts lines, ``matching`` takes columns apart,
``records`` puts lines together that are one record, ``moments`` and ``lengths`` read times, ``interpreting`` makes
events of a record, ``calls`` joins events of one call and makes messages. All but the transports are pure.
"""
