"""How requests reach the WSGI application: Granian's event loop in front, a bounded pool of threads behind.

``rsgi.py`` is the face that Granian calls for each request: it admits, reads the body against the clock, calls the
application and hands the answer over. What exchanges tell is served on the loop's own thread (``loop_runs.py``), all
else on threads (``threads.py``, ``turns.py``); ``blocking.py`` says what of an event goes to a thread after all.
``streams.py`` sends what is made piece by piece.
Nothing in these modules knows a page or the database; the application is any WSGI callable. Whatever a client can make
wait has a deadline, whatever it can make many of a limit.

The main process' part is here as well: sockets (``listening.py``), worker processes (``processes.py``, ``worker.py``)
and their replacement (``handover.py``, ``runs.py``). ``gateway/server/serve.py`` joins it all.

``bootstrap.py`` joins the parts of one process's gateway (``gateway.py``). What the configuration says of them is read
in ``companies.py``, ``adapters.py``, ``event_sources.py``, ``databases.py``, ``traffic_logs.py``, ``retention.py`` and
``chores.py``; ``trials.py`` tries its dial plans.
"""
