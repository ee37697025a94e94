"""Cases for the rules on cachePoints, with texts.

Each case is: name, model id, body, and the exact error text, or None.
"""

from tests.support.rule_requests import (
    CACHE_POINT,
    CLAUDE_3_5,
    CLAUDE_4_5,
    NOVA,
    TOOLS,
    VENDOR,
    Json,
    assistant,
    body,
    reasoning,
    tool_result,
    tool_use,
    user,
)

HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
MINUTES = {"cachePoint": {"type": "default", "ttl": "5m"}}
CACHED_TOOLS = {"tools": [*TOOLS["tools"], CACHE_POINT]}
LOOKED = (user("a"), assistant(tool_use("t1")))

NOT_PERMITTED = (
    VENDOR + "Malformed input request: #/{}: extraneous key [cachePoint] is not "
    "permitted, please reformat your input and try again."
)
NOT_AFTER = (
    VENDOR + "{}.cache_control.ttl: a ttl='1h' cache_control block must not come after "
    "a ttl='5m' cache_control block. Note that blocks are processed in the following "
    "order: `tools`, `system`, `messages`."
)

CASES: list[tuple[str, str, Json, str | None]] = [
    (
        "four cachePoints",
        CLAUDE_3_5,
        body(user("a", CACHE_POINT, "b", CACHE_POINT, "c", CACHE_POINT, "d")),
        None,
    ),
    (
        "five cachePoints",
        CLAUDE_3_5,
        body(
            user("a", CACHE_POINT, "b", CACHE_POINT, "c", CACHE_POINT),
            system=[{"text": "s"}, CACHE_POINT],
            toolConfig=CACHED_TOOLS,
        ),
        VENDOR + "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        "cachePoint after reasoning",
        CLAUDE_3_5,
        body(
            user("a"),
            assistant("b", reasoning("c", signature="s"), CACHE_POINT),
            user("d"),
        ),
        (
            "Cache point cannot be inserted after reasoning block. Please remove the "
            "invalid cache point and try again."
        ),
    ),
    # Places.
    (
        "Nova, after a tool",
        NOVA,
        body(user("a"), toolConfig=CACHED_TOOLS),
        NOT_PERMITTED.format("toolConfig/tools/1"),
    ),
    (
        "Nova, after a tool result",
        NOVA,
        body(*LOOKED, user(tool_result("t1"), CACHE_POINT), toolConfig=TOOLS),
        NOT_PERMITTED.format("messages/2/content/1"),
    ),
    (
        "Nova, after a text and after the system prompt",
        NOVA,
        body(user("a", CACHE_POINT), system=[{"text": "s"}, CACHE_POINT]),
        None,
    ),
    (
        "Claude, after a tool and after a tool result",
        CLAUDE_4_5,
        body(*LOOKED, user(tool_result("t1"), CACHE_POINT), toolConfig=CACHED_TOOLS),
        None,
    ),
    # Lifetimes.
    (
        "an hour for Nova",
        NOVA,
        body(user("a", HOUR)),
        "Extended TTL prompt caching is only supported for Anthropic models",
    ),
    (
        "an hour for an older Claude",
        CLAUDE_3_5,
        body(user("a", "b", HOUR)),
        VENDOR + "messages.0.content.1.cache_control.ttl: Extra inputs are not "
        "permitted",
    ),
    ("five minutes for an older Claude", CLAUDE_3_5, body(user("a", MINUTES)), None),
    (
        "an hour, then five minutes",
        CLAUDE_4_5,
        body(user("a", HOUR, "b", MINUTES), system=[{"text": "s"}, HOUR]),
        None,
    ),
    (
        "an hour after five minutes",
        CLAUDE_4_5,
        body(user("a", HOUR), system=[{"text": "s"}, MINUTES]),
        NOT_AFTER.format("messages.0.content.0"),
    ),
    (
        "an hour for the system prompt, less for the tools",
        CLAUDE_4_5,
        body(user("a"), system=[{"text": "s"}, HOUR], toolConfig=CACHED_TOOLS),
        NOT_AFTER.format("system.0"),
    ),
]
