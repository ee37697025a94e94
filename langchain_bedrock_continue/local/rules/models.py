"""What Bedrock allows each model: families by pattern, so that no list goes stale.

M1. A regional prefix, or an ARN around the id, changes nothing.
M2. A Claude takes a prefill up to version 4.5, and none from 4.6 on.
M3. A family of which nothing is known takes no prefill: a test that relies on more
    than is known of a model must fail.
M4. An id that Bedrock could not have is no model; neither is an application inference
    profile that nobody named.
M5. What the caller says of an id (`LocalBedrock(models=...)`) goes before all this.
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
REFUSED_BY_BEDROCK = (
    "The model that you are using requires the last turn in the conversation to be a "
    "user message. Add a user message to the conversation and try again."
)


@dataclass(frozen=True)
class ModelRules:
    """What the local endpoint lets one model do.

    Attributes:
        family: `"claude"`, `"nova"`, `"llama"`, `"mistral"` or `"unknown"`.
        takes_prefill: Whether a final assistant message is accepted at all.
        prefill_refusal: The error's text where it is not.
        prefill_with_tools: Whether it is accepted when the request has a `toolConfig`.
        max_output_tokens: The largest `maxTokens`; None for no limit.
        default_max_tokens: Output tokens where the request has no `maxTokens`.
        min_cache_tokens: A shorter prefix before a cachePoint is silently not cached.
        version: A Claude's version, for what changed with one; else `(0, 0)`.
        binds_thinking: Whether a signed thinking block is taken back only behind the
            very prefix that it was made behind ("preserved thinking").
    """

    family: str = "unknown"
    takes_prefill: bool = False
    prefill_refusal: str = REFUSED_BY_BEDROCK
    prefill_with_tools: bool = True
    max_output_tokens: int | None = None
    default_max_tokens: int = 4096
    min_cache_tokens: int = 1024
    version: tuple[int, int] = (0, 0)
    binds_thinking: bool = False

    @property
    def is_claude(self) -> bool:
        """Whether Anthropic's own checks stand behind Bedrock's."""
        return self.family == "claude"


_MODEL_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9][a-z0-9.:_-]*", re.IGNORECASE)
# Two letters (us, eu, jp, au, sa, ...) or one of the longer areas; no publisher's
# name is that short.
_REGION = re.compile(r"(?:[a-z]{2}|us-gov|apac|amer|global)\.(?=[^.]+\.)")
_ARN = re.compile(
    r"arn:aws[^:]*:bedrock:[^:]*:[^:]*:"
    r"(?P<kind>foundation-model|inference-profile)/(?P<id>.+)"
)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")

PREFILL_CEASED = (4, 6)
# From Anthropic's and AWS's pages on preserved thinking. Mythos 5.1 signs its thinking
# so, but does not check it.
_BINDS_THINKING = {"fable": (5, 1), "mythos": (5, 2)}
_OTHERS_BIND_THINKING = (5, 5)
_NEWEST = (99, 0)

# Largest `maxTokens` by the first version that has it, where langchain-aws ships no
# profile. From public model lists, not checked against the vendor's own pages.
_CLAUDE_LIMITS = (
    ((4, 6), 128_000),
    ((4, 2), 64_000),
    ((4, 0), 32_000),
    ((3, 7), 64_000),
    ((3, 5), 8_192),
    ((0, 0), 4_096),
)


def rules_for(
    model_id: str,
    *,
    profiles: Mapping[str, str] | None = None,
    models: Mapping[str, ModelRules] | None = None,
) -> ModelRules | None:
    """Say what is known of a model id; None where Bedrock has no such model."""
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
    """Strip ARN and region; None where no model remains."""
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
        return _claude(claude_version(base), _name(base))
    return ModelRules()


_FAMILIES = (
    # Nova's own guide documents prefill; with Nova 2 it works in practice.
    (
        "amazon.nova-2",
        ModelRules("nova", takes_prefill=True, max_output_tokens=65_535),
    ),
    ("amazon.nova", ModelRules("nova", takes_prefill=True, max_output_tokens=10_000)),
    ("meta.llama4", ModelRules("llama", max_output_tokens=8_192)),
    ("meta.llama", ModelRules("llama", max_output_tokens=4_096)),
    ("mistral.", ModelRules("mistral", max_output_tokens=8_192)),
)


def claude_version(base: str) -> tuple[int, int]:
    """Read a Claude's version from its id; one without a version is the newest."""
    found = _CLAUDE.search(base)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def _name(base: str) -> str:
    """A Claude's name: opus, sonnet, ...; empty where it has none."""
    found = re.search(r"claude-([a-z]+)-", base + "-")
    return found[1] if found else ""


def _claude(version: tuple[int, int], name: str) -> ModelRules:
    return ModelRules(
        family="claude",
        takes_prefill=version < PREFILL_CEASED,
        prefill_refusal=REFUSED_BY_CLAUDE,
        # Reported for Claude 3.x; nothing is known of later ones.
        prefill_with_tools=version >= (4, 0),
        max_output_tokens=next(n for v, n in _CLAUDE_LIMITS if version >= v),
        version=version,
        binds_thinking=version >= _BINDS_THINKING.get(name, _OTHERS_BIND_THINKING),
    )


@cache
def _profile_limit(base: str) -> int | None:
    # Imported late: it takes a second, and the endpoint can do without.
    from langchain_aws.data._profiles import _PROFILES  # noqa: PLC0415

    # Some models are listed with a region only.
    for model_id, profile in _PROFILES.items():
        if _REGION.sub("", model_id, count=1) == base:
            limit: int | None = profile.get("max_output_tokens")
            return limit
    return None
