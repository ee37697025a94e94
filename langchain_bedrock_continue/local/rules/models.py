"""What Bedrock allows each model, by patterns of model ids, so that no list gets stale.

MODELRULES-1. A region prefix, or an ARN around the model id, changes nothing.
MODELRULES-2. Claude accepts prefill up to version 4.5 and refuses it from 4.6 on.
    Sources: Anthropic's documentation, third-party reports.
MODELRULES-3. A family of which nothing is known does not accept prefill: a test must
    not pass because of a guess about a model.
MODELRULES-4. A model id that Bedrock cannot have is unknown. So is the ARN of an
    application inference profile without an entry in `LocalBedrock(profiles=...)`.
MODELRULES-5. The caller's rules (`LocalBedrock(models=...)`) take precedence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED_BY_CLAUDE = (
    "The model returned the following errors: This model does not support assistant "
    "message prefill. The conversation must end with a user message."
)
"""Error text of a Claude that refuses prefill. Source: public reports of live calls."""

REFUSED_BY_BEDROCK = (
    "The model that you are using requires the last turn in the conversation to be a "
    "user message. Add a user message to the conversation and try again."
)
"""Error text of Bedrock for models that refuse prefill. Source: as above."""


@dataclass(frozen=True)
class ModelRules:
    """What the local endpoint accepts for one model.

    Attributes:
        family: `"claude"`, `"nova"`, `"llama"`, `"mistral"` or `"unknown"`.
        takes_prefill: Whether an assistant message in the final position is accepted.
        prefill_refusal: Error text for a prefill that is not accepted.
        prefill_with_tools: Whether a prefill is accepted beside a `toolConfig`.
        max_output_tokens: Largest `maxTokens` that is accepted; None for no limit.
        limit_is_exclusive: Whether `max_output_tokens` itself is refused too, as its
            error text says. Both are reported of live calls.
        context_window: Tokens of input and output together; None for no limit.
        truncated_call_fails: Whether a tool call that is truncated at `maxTokens` is a
            `ModelErrorException`, as for Nova, and not a response.
        default_max_tokens: Output tokens of a request without `maxTokens`. Converse
            uses 4,096 for Claude; source: third-party reports.
        caches: Whether there is a prompt cache.
        min_cache_tokens: Input tokens below which a prefix is silently not cached.
        max_cache_tokens: Input tokens above which a prefix is silently not cached; None
            for no limit.
        caches_an_hour: Whether a cachePoint may have a `ttl` of an hour.
        version: Version of a Claude as (major, minor); `(0, 0)` for other families.
        binds_thinking: Whether a signed thinking block is accepted only after the exact
            prefix that it was generated after. Anthropic calls this "preserved
            thinking".
    """

    family: str = "unknown"
    takes_prefill: bool = False
    prefill_refusal: str = REFUSED_BY_BEDROCK
    prefill_with_tools: bool = True
    max_output_tokens: int | None = None
    limit_is_exclusive: bool = False
    context_window: int | None = None
    truncated_call_fails: bool = False
    default_max_tokens: int = 4096
    caches: bool = False
    min_cache_tokens: int = 1024
    max_cache_tokens: int | None = None
    caches_an_hour: bool = False
    version: tuple[int, int] = (0, 0)
    binds_thinking: bool = False

    @property
    def is_claude(self) -> bool:
        """Whether Anthropic's own rules apply after Bedrock's."""
        return self.family == "claude"

    @property
    def is_nova(self) -> bool:
        """Whether the body of `InvokeModel` is Nova's, not Anthropic's."""
        return self.family == "nova"

    @property
    def max_tokens_if_unset(self) -> int:
        """Output tokens of a request without `maxTokens`, within the model's limit."""
        most = self.max_accepted
        return (
            self.default_max_tokens if not most else min(most, self.default_max_tokens)
        )

    @property
    def max_accepted(self) -> int | None:
        """Largest `maxTokens` that is accepted; None for no limit."""
        limit = self.max_output_tokens
        return limit - 1 if limit and self.limit_is_exclusive else limit


_MODEL_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9][a-z0-9.:_-]*", re.IGNORECASE)
# Two letters (us, eu, jp, au, sa, ...) or a longer name. No model provider has a name
# that short.
_REGION = re.compile(r"(?:[a-z]{2}|us-gov|apac|amer|global)\.(?=[^.]+\.)")
_ARN = re.compile(
    r"arn:aws[^:]*:bedrock:[^:]*:[^:]*:"
    r"(?P<kind>foundation-model|inference-profile)/(?P<id>.+)"
)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")

PREFILL_REMOVED = (4, 6)
"""First version of Claude that refuses prefill."""

# Sources: Anthropic's and AWS's pages on preserved thinking. Mythos 5.1 signs its
# thinking in the same way but does not check it.
_BINDS_THINKING = {"fable": (5, 1), "mythos": (5, 2)}
_OTHERS_BIND_THINKING = (5, 5)
_NEWEST = (99, 0)

# Largest `maxTokens` by the first version that has it, where langchain-aws has no
# profile. Source: public model lists; not checked against the vendor's own pages.
_CLAUDE_LIMITS = (
    ((4, 6), 128_000),
    ((4, 2), 64_000),
    ((4, 0), 32_000),
    ((3, 7), 64_000),
    ((3, 5), 8_192),
    ((0, 0), 4_096),
)

# Prompt caching. Sources: AWS's guide, and a public model list that cites its service
# offers (November 2026). Of the smallest prefix, users measured other values for some.
_CLAUDE_CACHES = (3, 5)
_CACHES_AN_HOUR = (4, 5)
_NOT_CACHED = frozenset({"claude-3-5-sonnet-20240620"})
_CACHE_MINIMUM = {
    "opus": (((5, 0), 512), ((4, 8), 1_024), ((4, 7), 2_048), ((4, 5), 4_096)),
    "sonnet": (((5, 5), 512),),
    "haiku": (((5, 5), 512), ((4, 5), 4_096), ((3, 5), 2_048)),
    "fable": (((0, 0), 512),),
    "mythos": (((0, 0), 512),),
}
"""The smallest prefix by name, and by the first version that has it; else 1,024."""


def rules_for(
    model_id: str,
    *,
    profiles: Mapping[str, str] | None = None,
    models: Mapping[str, ModelRules] | None = None,
) -> ModelRules | None:
    """Return the rules of a model; None if Bedrock has no such model.

    Args:
        model_id: Model id, inference profile or ARN.
        profiles: Model id by ARN of an application inference profile; none by default.
        models: Rules by model id that take precedence; none by default.
    """
    if models and model_id in models:
        return models[model_id]
    base = base_model(model_id, profiles or {})
    if base is None:
        return None
    if models and base in models:
        return models[base]
    rules = _family(base)
    known = _profile_limit(base)
    return replace(rules, max_output_tokens=known) if known else rules


def base_model(model_id: str, profiles: Mapping[str, str]) -> str | None:
    """Return the model id without ARN and region; None if no model id remains.

    Args:
        model_id: Model id, inference profile or ARN.
        profiles: Model id by ARN of an application inference profile.
    """
    model_id = profiles.get(model_id, model_id)
    if arn := _ARN.fullmatch(model_id):
        model_id = arn["id"]
    base = _REGION.sub("", model_id, count=1)
    return base if _MODEL_ID.fullmatch(base) else None


def _family(base: str) -> ModelRules:
    for prefix, rules in _FAMILIES:
        if base.startswith(prefix):
            return rules
    if base.startswith("anthropic.claude"):
        return _claude(base)
    return ModelRules()


# Prompt caching: AWS's guide (1K to 20K tokens). A truncated call: AWS's user guide of
# Nova, "Troubleshooting tool calls".
_NOVA = ModelRules(
    "nova",
    takes_prefill=True,
    max_output_tokens=10_000,
    truncated_call_fails=True,
    caches=True,
    min_cache_tokens=1_000,
    max_cache_tokens=20_000,
)

_FAMILIES = (
    # Prefill: Nova's guide documents it. For Nova 2 a third party reports it.
    ("amazon.nova-2", replace(_NOVA, max_output_tokens=65_535)),
    ("amazon.nova", _NOVA),
    ("meta.llama4", ModelRules("llama", max_output_tokens=8_192)),
    ("meta.llama", ModelRules("llama", max_output_tokens=4_096)),
    ("mistral.", ModelRules("mistral", max_output_tokens=8_192)),
)


def claude_version(base: str) -> tuple[int, int]:
    """Return a Claude's version; the newest if the model id has none.

    Args:
        base: Model id without ARN and region.

    Returns:
        Major and minor version.
    """
    found = _CLAUDE.search(base)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def _name(base: str) -> str:
    """Return a Claude's name (opus, sonnet, ...); empty if the model id has none."""
    found = re.search(r"claude-(?:[0-9]+-)*([a-z]+)-", base + "-")
    return found[1] if found else ""


def _cache_minimum(version: tuple[int, int], name: str) -> int:
    """Return the tokens below which a Claude caches no prefix."""
    rows = _CACHE_MINIMUM.get(name, ())
    return next((n for v, n in rows if version >= v), ModelRules.min_cache_tokens)


def _claude(base: str) -> ModelRules:
    version, name = claude_version(base), _name(base)
    in_use = version >= _CLAUDE_CACHES
    return ModelRules(
        family="claude",
        caches=in_use and not any(one in base for one in _NOT_CACHED),
        caches_an_hour=version >= _CACHES_AN_HOUR,
        min_cache_tokens=_cache_minimum(version, name),
        takes_prefill=version < PREFILL_REMOVED,
        prefill_refusal=REFUSED_BY_CLAUDE,
        # Reported for Claude 3.x. Nothing is known of later versions.
        prefill_with_tools=version >= (4, 0),
        max_output_tokens=next(n for v, n in _CLAUDE_LIMITS if version >= v),
        version=version,
        binds_thinking=version >= _BINDS_THINKING.get(name, _OTHERS_BIND_THINKING),
    )


@cache
def _profile_limit(base: str) -> int | None:
    """Return `max_output_tokens` of langchain-aws's profile of a model, or None."""
    # A late import: it takes a second, and only requests need it.
    from langchain_aws.data._profiles import _PROFILES  # noqa: PLC0415

    # Some models have profiles with a region only.
    for model_id, profile in _PROFILES.items():
        if _REGION.sub("", model_id, count=1) == base:
            limit: int | None = profile.get("max_output_tokens")
            return limit
    return None
