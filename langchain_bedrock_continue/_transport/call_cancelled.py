"""What a cancelled call raises."""


class CallCancelled(BaseException):
    """The call was cancelled: nobody waits for its result.

    A BaseException, like `asyncio.CancelledError`. langchain-aws, botocore, urllib3 and
    the turn itself catch `Exception`; they would log the cancellation, retry the call,
    or report a failed segment.
    """
