"""How a call travels: cancellation, deadlines, and async callers.

The shell writes each turn once, as a synchronous function or generator that takes a
`Cancellation`, and this package runs it:

- Every call goes through a client that `cancellation.prepare_client` returned.
- Every pause is `cancellation.sleep` or `cancellation.acquire`.
- Callbacks of an async caller go through `cancellation.own_run` or `handle`.
- A sync caller runs the turn as it is. An async caller runs it with `run` or `iterate`.

An async call runs on the caller's event loop, in a greenlet, and awaits its sockets. A
call that cannot be awaited runs on a thread. Which it is, only this package knows.
"""

from langchain_bedrock_continue._transport.async_calls import iterate, run
from langchain_bedrock_continue._transport.call_cancelled import CallCancelled
from langchain_bedrock_continue._transport.cancellable_client import cancellable_client
from langchain_bedrock_continue._transport.cancellation import Cancellation

__all__ = ["CallCancelled", "Cancellation", "cancellable_client", "iterate", "run"]
