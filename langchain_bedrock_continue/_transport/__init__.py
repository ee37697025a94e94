"""How a call travels: cancellation, deadlines, and async callers.

The shell writes each turn once, as a synchronous function or generator that takes a
`Cancellation`, and this package runs it:

- Every call goes through `cancellable_client(client, cancellation)`.
- Every pause is `cancellation.sleep` or `cancellation.acquire`.
- A sync caller runs the turn as it is. An async caller runs it with `run` or `iterate`.

So how an async call waits (today on threads) is known here and nowhere else.
"""

from langchain_bedrock_continue._transport.cancellable_client import cancellable_client
from langchain_bedrock_continue._transport.cancellation import (
    CallCancelled,
    Cancellation,
)
from langchain_bedrock_continue._transport.threads import iterate, run

__all__ = ["CallCancelled", "Cancellation", "cancellable_client", "iterate", "run"]
