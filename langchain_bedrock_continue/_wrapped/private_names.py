"""The private names of langchain-aws, langchain-core and botocore, all of them.

Every access to them is in this module. A name that is gone has a fallback, or an error
that says which version has it. Importing the package needs none of them.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.credentials import Credentials
from langchain_aws.chat_models import bedrock_converse
from langchain_core.language_models import BaseChatModel, chat_models
from langchain_core.runnables import RunnableBinding
from langchain_core.runnables.configurable import DynamicRunnable

from langchain_bedrock_continue._core.policy import InlineThinking
from langchain_bedrock_continue._private_name import PrivateName

try:
    from langchain_aws.chat_models import _compat
except ImportError:  # see PRIVATE_NAMES
    _compat = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_aws import ChatBedrockConverse
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.outputs import ChatGenerationChunk, ChatResult

    ChatModelBinding = chat_models._ChatModelBinding
    _Convert = Callable[[list[Any], str], list[dict[str, Any]]] | None
else:
    # At run time it is a plain RunnableBinding; it only adds types to `stream_events`.
    ChatModelBinding = getattr(chat_models, "_ChatModelBinding", RunnableBinding)

_BASE_CHAT_MODEL = "langchain_core.language_models.BaseChatModel"
_CONVERSE = "langchain_aws.ChatBedrockConverse"

GENERATE = PrivateName(
    library="langchain-core",
    owner=_BASE_CHAT_MODEL,
    name="_generate",
    needed_to="call the wrapped model within the same run",
    if_missing="Error when a model is wrapped.",
)
STREAM = PrivateName(
    library="langchain-core",
    owner=_BASE_CHAT_MODEL,
    name="_stream",
    needed_to="stream from the wrapped model within the same run",
    if_missing="Error when a model is wrapped.",
)
GENERATE_WITH_CACHE = PrivateName(
    library="langchain-core",
    owner=_BASE_CHAT_MODEL,
    name="_generate_with_cache",
    needed_to="keep incomplete answers out of LangChain's cache",
    if_missing="Error when a cache is in use.",
)
AGENERATE_WITH_CACHE = PrivateName(
    library="langchain-core",
    owner=_BASE_CHAT_MODEL,
    name="_agenerate_with_cache",
    needed_to="keep incomplete answers out of LangChain's cache",
    if_missing="Error when a cache is in use.",
)
V1_TO_CONVERSE = PrivateName(
    library="langchain-aws",
    owner="langchain_aws.chat_models._compat",
    name="_convert_from_v1_to_converse",
    needed_to='resume a message with output_version="v1"',
    if_missing="Error when such a message is resumed.",
)
V1_TO_ANTHROPIC = PrivateName(
    library="langchain-aws",
    owner="langchain_aws.chat_models._compat",
    name="_convert_from_v1_to_anthropic",
    needed_to='resume a message with output_version="v1" on ChatBedrock',
    if_missing="Error when such a message is resumed.",
)
PREPARE = PrivateName(
    library="langchain-core",
    owner="langchain_core.runnables.configurable.DynamicRunnable",
    name="_prepare",
    needed_to="apply a config to fields of the wrapped model",
    if_missing="Error when such a field is made configurable.",
)
AS_CONVERSE = PrivateName(
    library="langchain-aws",
    owner="langchain_aws.ChatBedrock",
    name="_as_converse",
    needed_to="wrap a ChatBedrock with beta_use_converse_api=True",
    if_missing="Error when such a model is wrapped.",
)

_WHOSE_CLIENT = "know whether a client has credentials that its model does not have"
_NOT_REFUSED = (
    "Fallback: a model whose client has other credentials is pickled, too; another "
    "process finds its own."
)

PRIVATE_NAMES = (
    PrivateName(
        library="botocore",
        owner="botocore.client.BaseClient",
        name="_request_signer",
        needed_to=_WHOSE_CLIENT,
        if_missing=_NOT_REFUSED,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.signers.RequestSigner",
        name="_credentials",
        needed_to=_WHOSE_CLIENT,
        if_missing=_NOT_REFUSED,
    ),
    PrivateName(
        library="botocore",
        owner="botocore.signers.RequestSigner",
        name="_auth_token",
        needed_to=_WHOSE_CLIENT,
        if_missing=_NOT_REFUSED,
    ),
    GENERATE,
    STREAM,
    GENERATE_WITH_CACHE,
    AGENERATE_WITH_CACHE,
    PREPARE,
    AS_CONVERSE,
    V1_TO_CONVERSE,
    V1_TO_ANTHROPIC,
    PrivateName(
        library="langchain-aws",
        owner="langchain_aws.chat_models",
        name="_compat",
        needed_to=V1_TO_CONVERSE.needed_to,
        if_missing=V1_TO_CONVERSE.if_missing,
    ),
    PrivateName(
        library="langchain-core",
        owner="langchain_core.language_models.chat_models",
        name="_ChatModelBinding",
        needed_to="type `stream_events` of a bound model",
        if_missing="Fallback: RunnableBinding, its base class.",
    ),
    PrivateName(
        library="langchain-core",
        owner=_BASE_CHAT_MODEL,
        name="_serialized",
        needed_to="describe the model to callbacks once, not for each call",
        if_missing="Fallback: it is described for each call.",
    ),
    PrivateName(
        library="langchain-core",
        owner=_BASE_CHAT_MODEL,
        name="_get_invocation_params",
        needed_to="show the wrapped model's parameters to tracers",
        if_missing="Fallback: tracers see no parameters.",
    ),
    PrivateName(
        library="langchain-core",
        owner=_BASE_CHAT_MODEL,
        name="_combine_llm_outputs",
        needed_to="combine the outputs of several calls as the wrapped model does",
        if_missing="Fallback: the outputs are not combined.",
    ),
    PrivateName(
        library="langchain-core",
        owner=_BASE_CHAT_MODEL,
        name="_get_ls_params",
        needed_to="show the wrapped model's parameters to LangSmith",
        if_missing="Fallback: LangSmith sees no parameters.",
    ),
    PrivateName(
        library="langchain-aws",
        owner=_CONVERSE,
        name="_get_base_model",
        needed_to="learn the model's id behind a profile or a region's prefix",
        if_missing="Fallback: the public fields base_model_id and model_id.",
    ),
    PrivateName(
        library="langchain-aws",
        owner="langchain_aws.ChatBedrock",
        name="_get_provider",
        needed_to="refuse providers without a messages API",
        if_missing="Fallback: the public fields provider and model_id.",
    ),
    PrivateName(
        library="langchain-aws",
        owner=_CONVERSE,
        name="_inline_reasoning_tags_for_model",
        needed_to="take over the split of thinking that a model writes in its text",
        if_missing="Fallback: langchain-aws splits each response by itself.",
    ),
    PrivateName(
        library="langchain-aws",
        owner="langchain_aws.chat_models.bedrock_converse",
        name="_get_default_model_profile",
        needed_to="learn the limit of a model whose id is inside an ARN",
        if_missing="Fallback: the limit is unknown, as langchain-aws has it.",
    ),
    PrivateName(
        library="langchain-aws",
        owner="langchain_aws.chat_models.bedrock_converse",
        name="_split_inline_reasoning",
        needed_to="split thinking out of a complete answer as langchain-aws does",
        if_missing="Fallback: langchain-aws splits each response by itself.",
    ),
)
"""Every private name that `_wrapped` uses."""

# ruff: noqa: SLF001 - this module is the place for them

# Calls ----------------------------------------------------------------------------


def check_calls(llm: BaseChatModel) -> None:
    """Check that a model can be called without a run of its own.

    `invoke` and `stream` would start a child run, and callbacks would see each token
    twice.

    Raises:
        UnsupportedVersionError: Its class has no implementation of a hook.
    """
    for hook in (GENERATE, STREAM):
        own = getattr(type(llm), hook.name, None)
        if own is getattr(BaseChatModel, hook.name, None):
            raise hook.error()


def generate(llm: BaseChatModel, /, *args: Any, **kwargs: Any) -> ChatResult:
    """Make one blocking call."""
    return llm._generate(*args, **kwargs)


def stream(
    llm: BaseChatModel, /, *args: Any, **kwargs: Any
) -> Generator[ChatGenerationChunk, None, None]:
    """Make one streaming call.

    Returns:
        A generator, which can be closed. A subclass may return any iterator.
    """
    chunks = llm._stream(*args, **kwargs)
    if isinstance(chunks, Generator):
        return chunks
    return (chunk for chunk in chunks)


def describe(llm: BaseChatModel) -> None:
    """Make the description that callbacks get, for all copies of a model.

    LangChain keeps it in the model. It takes about as long as half of an answer's other
    work in Python, and each call is made by a new copy.
    """
    getattr(llm, "_serialized", None)


def forget_description(llm: BaseChatModel) -> None:
    """Have LangChain make the description again, after a change of the model."""
    vars(llm).pop("_serialized", None)


# Settings -------------------------------------------------------------------------


def check_configurable() -> None:
    """Check that a config can be applied to the wrapped model's fields.

    Raises:
        UnsupportedVersionError: langchain-core does not call the hook any more.
    """
    if not hasattr(DynamicRunnable, "_prepare"):
        raise PREPARE.error()


def base_model_id(llm: Any) -> str:
    """Return the id of the model behind a profile or a region's prefix."""
    method = getattr(llm, "_get_base_model", None)
    found = (llm.base_model_id or llm.model_id) if method is None else method()
    return str(found)


def profile_of(model_id: str) -> Mapping[str, Any]:
    """Return the profile that langchain-aws has of a model id; empty if it has none."""
    find = getattr(bedrock_converse, "_get_default_model_profile", None)
    found: Mapping[str, Any] = {} if find is None else find(model_id)
    return found


def provider(llm: Any) -> str:
    """Return a ChatBedrock's provider, such as "anthropic"."""
    method = getattr(llm, "_get_provider", None)
    if method is not None:
        return str(method())
    by_model = "anthropic" if "anthropic." in llm.model_id else llm.model_id
    return str(llm.provider or by_model)


def as_converse(llm: Any) -> ChatBedrockConverse:
    """Return the ChatBedrockConverse through which a ChatBedrock makes its calls.

    Raises:
        UnsupportedVersionError: langchain-aws has no such model.
    """
    found = getattr(llm, "_as_converse", None)
    if found is None:
        raise AS_CONVERSE.error()
    return cast("ChatBedrockConverse", found)


def combine_llm_outputs(
    llm: Any, outputs: list[dict[str, Any] | None]
) -> dict[str, Any]:
    """Return the `llm_output` of several results as one."""
    method = getattr(llm, "_combine_llm_outputs", None)
    return {} if method is None else dict(method(outputs))


def invocation_params(
    llm: Any, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a model's parameters for tracers."""
    method = getattr(llm, "_get_invocation_params", None)
    return {} if method is None else dict(method(stop=stop, **kwargs))


def ls_params(
    llm: Any, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> LangSmithParams:
    """Return a model's parameters for LangSmith."""
    method = getattr(llm, "_get_ls_params", None)
    params = {} if method is None else method(stop=stop, **kwargs)
    return cast("LangSmithParams", params)


# Credentials ----------------------------------------------------------------------


class ClientCredentials(NamedTuple):
    """What a boto3 client signs its requests with.

    Attributes:
        method: How botocore found them, such as "explicit", "env" or "iam-role"; None
            if that is unknown.
        access_key: The access key's id; None if there is none, or it is temporary.
        has_token: Whether a bearer token is used.
    """

    method: str | None
    access_key: str | None
    has_token: bool


def credentials_of(client: Any) -> ClientCredentials:
    """Return what a client signs its requests with, as far as it is known."""
    signer = getattr(client, "_request_signer", None)
    credentials = getattr(signer, "_credentials", None)
    is_plain = type(credentials) is Credentials  # else it may ask a service for a key
    return ClientCredentials(
        method=getattr(credentials, "method", None),
        access_key=getattr(credentials, "access_key", None) if is_plain else None,
        has_token=getattr(signer, "_auth_token", None) is not None,
    )


# Inline reasoning -----------------------------------------------------------------


def inline_thinking(llm: Any) -> InlineThinking | None:
    """Return how ChatBedrockConverse splits thinking out of the model's text.

    Returns:
        The tags and langchain-aws's function, or None if it does not split.
    """
    tags_for_model = getattr(llm, "_inline_reasoning_tags_for_model", None)
    split = getattr(bedrock_converse, "_split_inline_reasoning", None)
    tags = None if tags_for_model is None or split is None else tags_for_model()
    return None if tags is None or split is None else InlineThinking(tags, split)


def stop_splitting(copy: Any) -> None:
    """Make a copy of a model return its text unsplit, where it would split it."""
    if inline_thinking(copy) is not None:
        # In the instance's dictionary: it shadows the method, and pydantic, which
        # knows fields only, does not see it.
        vars(copy)["_inline_reasoning_tags_for_model"] = lambda: None


# Messages and cache ---------------------------------------------------------------


def v1_to_converse(blocks: list[Any]) -> list[dict[str, Any]]:
    """Convert LangChain's v1 content blocks to ChatBedrockConverse's.

    Raises:
        UnsupportedVersionError: langchain-aws has no such conversion.
    """
    convert: _Convert = getattr(_compat, "_convert_from_v1_to_converse", None)
    if convert is None:
        raise V1_TO_CONVERSE.error()
    return convert(blocks, "bedrock_converse")


def v1_to_anthropic(blocks: list[Any]) -> list[dict[str, Any]]:
    """Convert LangChain's v1 content blocks to those of ChatBedrock for Claude.

    Raises:
        UnsupportedVersionError: langchain-aws has no such conversion.
    """
    convert: _Convert = getattr(_compat, "_convert_from_v1_to_anthropic", None)
    if convert is None:
        raise V1_TO_ANTHROPIC.error()
    return convert(blocks, "bedrock")


def check_cache_hooks() -> None:
    """Check that what goes into LangChain's cache can be filtered.

    Raises:
        UnsupportedVersionError: langchain-core does not call the hook any more.
    """
    for hook in (GENERATE_WITH_CACHE, AGENERATE_WITH_CACHE):
        if not hasattr(BaseChatModel, hook.name):
            raise hook.error()


def generate_with_cache(
    model: BaseChatModel, /, *args: Any, **kwargs: Any
) -> ChatResult:
    """Run LangChain's own lookup, call and update."""
    return BaseChatModel._generate_with_cache(model, *args, **kwargs)


async def agenerate_with_cache(
    model: BaseChatModel, /, *args: Any, **kwargs: Any
) -> ChatResult:
    """Run LangChain's own lookup, call and update, async."""
    return await BaseChatModel._agenerate_with_cache(model, *args, **kwargs)
