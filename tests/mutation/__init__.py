"""Small changes of the domain's code, one at a time, and which of them no test notices: ``python -m tests.mutation``.

``mutants`` makes the changes (cosmic-ray's) and leaves out those that cannot change behaviour, ``source`` reads what a
change touches, ``selection`` says which tests belong to a module and which of them run a line, ``trials`` tries
changes in children of a process that has loaded everything, ``explained`` reads the survivors that change nothing
(``explained.toml``, reviewed by hand), ``__main__`` prints.
"""
