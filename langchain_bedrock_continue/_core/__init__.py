"""The core: it decides, and does no I/O.

Nothing in here makes a call, waits, starts a thread or asks for the time. What does is
beside this package, and decides nothing. `turn` is where to begin.
"""
