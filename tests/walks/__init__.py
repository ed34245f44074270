"""Three days at the desk, walked by a browser through the demo as its users would: an agent's first, a supervisor's
Monday, an administrator's who brings in sixty people. ``python -m tests.walks FOLDER`` makes the pictures of
docs/desk.md, and fails where a step cannot be taken.
"""
