"""Other libraries' private names: declared, present, and replaced where they are gone.

The declarations are in `_wrapped/private_names.py` and `_transport/private_names.py`.
"""

import ast
import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TypeAlias

import pytest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
from botocore.httpsession import URLLib3Session
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_aws.chat_models import _compat, bedrock_converse
from langchain_aws.llms.bedrock import BedrockBase
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import BaseChatModel, chat_models
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import ConfigurableField, RunnableBinding
from langchain_core.runnables.configurable import DynamicRunnable
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

import langchain_bedrock_continue
from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue._private_name import (
    KNOWN_TO_WORK,
    PrivateName,
    UnsupportedVersionError,
)
from langchain_bedrock_continue._transport import (
    Cancellation,
    cancellable_client,
)
from langchain_bedrock_continue._transport import private_names as of_transport
from langchain_bedrock_continue._transport.awaiting_client import awaiting_session
from langchain_bedrock_continue._wrapped import private_names as of_wrapped
from langchain_bedrock_continue._wrapped.adapters import adapter_for
from langchain_bedrock_continue._wrapped.model_limits import model_limit
from tests.support.raw_clients import session

OWN = "langchain_bedrock_continue"
PACKAGE = Path(langchain_bedrock_continue.__file__).parent
DECLARING = {
    "_transport/private_names.py": of_transport.PRIVATE_NAMES,
    "_wrapped/private_names.py": of_wrapped.PRIVATE_NAMES,
}
DECLARED: dict[str, PrivateName] = {
    declared.name: declared for table in DECLARING.values() for declared in table
}

# Who uses what -------------------------------------------------------------------

NOT_PRIVATE = frozenset({"__future__", "_replace"})
"""`_replace` is a public method of named tuples."""

OF_THE_ENDPOINT = frozenset({"_PROFILES", "_profiles"})
"""The local endpoint's own: its limits are those in langchain-aws's profiles."""

HOOKS = frozenset({"_agenerate", "_astream", "_generate", "_llm_type", "_stream"})
"""LangChain documents that a chat model overrides these."""


def is_private(name: str) -> bool:
    is_dunder = name.startswith("__") and name.endswith("__")
    return name.startswith("_") and not is_dunder and name not in NOT_PRIVATE


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def defined() -> set[str]:
    """Every name that a class or an object of this package has by itself."""
    names: set[str] = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                names |= {one for part in node.body for one in bound_by(part)}
        names |= assigned_on_self(tree)
    return names


def bound_by(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    return set()


def assigned_on_self(tree: ast.Module) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }


def foreign(tree: ast.Module, own: set[str]) -> set[str]:
    """Every private name that a module uses of what is not this package's.

    `self._name` and `super()._name` are the package's own where a class of it defines
    the name. On any other object, that is so where the module assigns it on `self`:
    another object of the same class.
    """
    here, found = assigned_on_self(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            on_self = ast.unparse(node.value) in {"self", "cls", "super()"}
            found |= {node.attr} - (own if on_self else here)
        elif isinstance(node, ast.Import):
            found |= {part for name in node.names for part in name.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")
            if module[0] != OWN:
                found |= {*module, *(name.name for name in node.names)}
        elif isinstance(node, ast.Call | ast.Subscript):
            found |= set(looked_up(node))
    return {name for name in found if is_private(name)}


def looked_up(node: ast.Call | ast.Subscript) -> Iterator[str]:
    """Names in `getattr(x, "_name")` and the like, and in `vars(x)["_name"]`."""
    if isinstance(node, ast.Subscript):
        keys = [node.slice] if ast.unparse(node.value).startswith("vars(") else []
    else:
        by_name = {"delattr", "getattr", "hasattr", "setattr"}
        keys = node.args[1:2] if ast.unparse(node.func) in by_name else []
    for key in keys:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def test_no_other_module_uses_a_private_name() -> None:
    own = defined()
    using = {
        place: foreign(tree, own) for place, tree in trees() if place not in DECLARING
    }
    for place, names in using.items():
        allowed = OF_THE_ENDPOINT if place.startswith("local/") else frozenset()
        assert names <= allowed, place


@pytest.mark.parametrize("place", list(DECLARING))
def test_the_declared_names_are_those_in_use(place: str) -> None:
    tree = dict(trees())[place]
    declared = {name.name for name in DECLARING[place]}
    assert foreign(tree, set()) == declared
    assert len(declared) == len(DECLARING[place])


def test_an_override_of_a_private_method_is_declared_too() -> None:
    for place, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            methods = {name for part in node.body for name in bound_by(part)}
            bases = {ast.unparse(base) for base in node.bases}
            if bases & {"BaseChatModel", "ChatModelBinding", "WrappingChatModel"}:
                overridden = {n for n in methods if hasattr(BaseChatModel, n)}
                private = {name for name in overridden if is_private(name)}
                assert private <= HOOKS | DECLARED.keys(), place


def test_the_walk_finds_each_kind_of_use() -> None:
    tree = ast.parse(
        "from lib import _a\n"
        "import lib._b\n"
        "from lib._c import d\n"
        "lib._e\n"
        "getattr(lib, '_f', None)\n"
        "vars(lib)['_g'] = 1\n"
        "class Own(Lib):\n"
        "    def m(self, other):\n"
        "        self._own = self._h = other._own\n"
        "        return self._i\n"
    )
    found = foreign(tree, {"_own", "_h"})
    assert found == {"_a", "_b", "_c", "_e", "_f", "_g", "_i"}


# What is there -------------------------------------------------------------------

AWS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
TAGS = ("<thinking>", "</thinking>")


def converse(model: str = MODEL, **kwargs: Any) -> Any:
    return ChatBedrockConverse(model=model, **AWS, **kwargs)


def invoke_model(model: str = MODEL, **kwargs: Any) -> Any:
    return ChatBedrock(model=model, **AWS, **kwargs)


def new_client() -> Any:
    return session().client("bedrock-runtime", region_name="us-east-1")


OF_A_CLIENT: dict[str, Callable[[Any], Any]] = {
    "BaseClient": lambda client: client,
    "Endpoint": lambda client: client._endpoint,
    "URLLib3Session": lambda client: client._endpoint.http_session,
    "EventAliaser": lambda client: client.meta.events,
    "HierarchicalEmitter": lambda client: client.meta.events._emitter,
    "RequestSigner": lambda client: client._request_signer,
}
"""The object of each class of botocore that has its names on objects only."""


def objects(owner: str) -> list[object]:
    """What a name is looked up on: an owner, or an object of it."""
    found = [resolve_name(owner)]
    of_a_client = OF_A_CLIENT.get(found[0].__name__)
    return [*found, of_a_client(new_client())] if of_a_client else found


@pytest.mark.parametrize("declared", DECLARED.values(), ids=list(DECLARED))
def test_the_installed_version_has_it(declared: PrivateName) -> None:
    assert any(hasattr(one, declared.name) for one in objects(declared.owner))
    assert declared.library in KNOWN_TO_WORK
    assert declared.needed_to
    assert declared.if_missing.startswith(("Fallback: ", "Error "))


# What happens without it ----------------------------------------------------------

Patch: TypeAlias = pytest.MonkeyPatch


def check_says_what_to_do(error: UnsupportedVersionError, name: str) -> None:
    declared = DECLARED[name]
    said = str(error)
    assert f"has no {declared.owner}.{name}, which is needed to " in said
    assert f"{declared.library} {KNOWN_TO_WORK[declared.library]} has it: " in said
    assert "install that version, or a newer langchain-bedrock-continue." in said


def without_a_call(name: str) -> Callable[[Patch], None]:
    def check(patch: Patch) -> None:
        llm = converse()
        patch.delattr(ChatBedrockConverse, name)
        with pytest.raises(UnsupportedVersionError) as raised:
            ChatBedrockContinuing(llm=llm)
        check_says_what_to_do(raised.value, name)

    return check


def without_a_cache_hook(name: str) -> Callable[[Patch], None]:
    def check(patch: Patch) -> None:
        llm = ChatBedrockContinuing(model=MODEL, cache=InMemoryCache(), **AWS)
        patch.delattr(BaseChatModel, name)
        with pytest.raises(UnsupportedVersionError) as raised:
            llm._generate([HumanMessage("Hi")])
        check_says_what_to_do(raised.value, name)
        ChatBedrockContinuing(model=MODEL, cache=False, **AWS)._check_cache()

    return check


V1 = AIMessage(
    [{"type": "text", "text": "so far"}],
    response_metadata={"stopReason": "max_tokens", "output_version": "v1"},
)


def check_v1_is_an_error(wrapped: Any, name: str) -> None:
    llm = ChatBedrockContinuing(llm=wrapped)
    with pytest.raises(UnsupportedVersionError) as raised:
        llm.resume([HumanMessage("Hi")], V1)
    check_says_what_to_do(raised.value, name)
    plain = AIMessage("so far")
    assert adapter_for(llm.llm).own_form(plain) is plain


def without_the_conversion(patch: Patch) -> None:
    patch.delattr(_compat, "_convert_from_v1_to_converse")
    check_v1_is_an_error(converse(), "_convert_from_v1_to_converse")


def without_the_conversion_for_claude(patch: Patch) -> None:
    patch.delattr(_compat, "_convert_from_v1_to_anthropic")
    check_v1_is_an_error(invoke_model(), "_convert_from_v1_to_anthropic")


def without_the_conversions_module(patch: Patch) -> None:
    patch.setattr(of_wrapped, "_compat", None)
    check_v1_is_an_error(converse(), "_convert_from_v1_to_converse")
    check_v1_is_an_error(invoke_model(), "_convert_from_v1_to_anthropic")


def without_the_binding(patch: Patch) -> None:
    assert issubclass(chat_models._ChatModelBinding, RunnableBinding)
    patch.delattr(chat_models, "_ChatModelBinding")
    program = "from {0}._resume import ResumingBinding; print(ResumingBinding.__mro__)"
    ran = run_without(["_ChatModelBinding"], program.format(OWN))
    assert "RunnableBinding" in ran
    assert "_ChatModelBinding" not in ran


def without_parameters(name: str) -> Callable[[Patch], None]:
    def check(patch: Patch) -> None:
        llm: Any = ChatBedrockContinuing(llm=converse())
        assert getattr(llm, name)()
        patch.delattr(ChatBedrockConverse, name)
        patch.delattr(BaseChatModel, name)
        assert getattr(llm, name)() == {}

    return check


def without_the_converse_model(patch: Patch) -> None:
    llm = invoke_model(beta_use_converse_api=True)
    adapter_for(llm).check()
    patch.delattr(ChatBedrock, "_as_converse")
    with pytest.raises(UnsupportedVersionError, match="_as_converse"):
        adapter_for(llm.model_copy())


def without_the_combination(patch: Patch) -> None:
    llm: Any = ChatBedrockContinuing(llm=invoke_model())
    outputs = [{"usage": {"prompt_tokens": 1}}] * 2
    assert llm._combine_llm_outputs(outputs)["usage"] == {"prompt_tokens": 2}
    patch.delattr(ChatBedrock, "_combine_llm_outputs")
    patch.delattr(BaseChatModel, "_combine_llm_outputs")
    assert llm._combine_llm_outputs(outputs) == {}


def without_the_preparation(patch: Patch) -> None:
    llm = ChatBedrockContinuing(llm=converse())
    field = ConfigurableField(id="size")
    llm.configurable_fields(max_tokens=field)
    patch.delattr(DynamicRunnable, "_prepare")
    with pytest.raises(UnsupportedVersionError, match="_prepare"):
        llm.configurable_fields(max_tokens=field)


def without_the_description(patch: Patch) -> None:
    llm = ChatBedrockContinuing(llm=converse())
    patch.delattr(BaseChatModel, "_serialized")
    of_wrapped.describe(llm)
    of_wrapped.forget_description(llm)


def without_the_base_model(patch: Patch) -> None:
    profile, base = "arn:aws:bedrock:::profile/x", MODEL.removeprefix("us.")
    behind_a_profile = converse(profile, base_model=base, provider="anthropic")
    plain = converse()
    patch.delattr(ChatBedrockConverse, "_get_base_model")
    for llm, model_id in ((behind_a_profile, base), (plain, MODEL)):
        assert of_wrapped.base_model_id(llm) == model_id


def without_the_provider(patch: Patch) -> None:
    good = [invoke_model(), invoke_model("arn:aws:x", provider="anthropic")]
    bad = [invoke_model("meta.llama3-8b-instruct-v1:0")]
    patch.delattr(BedrockBase, "_get_provider")
    for llm in good:
        adapter_for(llm).check()
    for llm in bad:
        with pytest.raises(ValueError, match=r"of provider 'meta\.llama3"):
            adapter_for(llm).check()


def check_split_is_left_to_langchain_aws() -> None:
    llm = adapter_for(converse("us.amazon.nova-pro-v1:0"))
    assert llm.inline_thinking() is None
    copied = llm.for_turn(lambda client: client).llm
    assert "_inline_reasoning_tags_for_model" not in vars(copied)


def without_the_tags(patch: Patch) -> None:
    llm = converse("us.amazon.nova-pro-v1:0")
    assert llm._inline_reasoning_tags_for_model() == TAGS
    patch.delattr(ChatBedrockConverse, "_inline_reasoning_tags_for_model")
    check_split_is_left_to_langchain_aws()


def without_the_split(patch: Patch) -> None:
    patch.delattr(bedrock_converse, "_split_inline_reasoning")
    check_split_is_left_to_langchain_aws()


def without_the_endpoint(_patch: Patch) -> None:
    client = new_client()
    assert cancellable_client(client, Cancellation()) is not client
    del client._endpoint
    assert cancellable_client(client, Cancellation()) is client


def without_the_connection_manager(patch: Patch) -> None:
    client = new_client()
    patch.delattr(URLLib3Session, "_get_connection_manager")
    assert cancellable_client(client, Cancellation()) is client


def without_a_pools_method(name: str) -> Callable[[Patch], None]:
    def check(patch: Patch) -> None:
        pool, cancellation = HTTPConnectionPool("localhost"), Cancellation()
        hooks = cancellation.attach, cancellation.detach
        assert of_transport.copy_with_hooks(pool, *hooks) is not pool
        patch.delattr(HTTPConnectionPool, name)
        assert of_transport.copy_with_hooks(pool, *hooks) is pool

    return check


def without_the_profiles(patch: Patch) -> None:
    patch.delattr(bedrock_converse, "_get_default_model_profile")
    model_limit.cache_clear()
    assert model_limit("anthropic.claude-opus-4-1-20250805-v1:0") is None
    patch.undo()
    model_limit.cache_clear()
    assert model_limit("anthropic.claude-opus-4-1-20250805-v1:0") == 32_000


def without_on_a_client(name: str, check: Callable[[Any], bool]) -> Any:
    """Check a client whose objects have not the name any more."""

    def check_without(patch: Patch) -> None:
        client = new_client()
        assert not check(client)
        owner = resolve_name(DECLARED[name].owner)
        found = OF_A_CLIENT[owner.__name__](client)
        if name in vars(found):
            delattr(found, name)
        if hasattr(owner, name):
            patch.delattr(owner, name)
        assert check(client)

    return check_without


def without_on_a_callers_client(name: str) -> Callable[[Patch], None]:
    """Check both uses: when a request is signed, and when a model is pickled."""

    def check(patch: Patch) -> None:
        without_on_a_client(name, of_transport.signing_may_block)(patch)
        patch.undo()
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with_token = converse(api_key="a token").client
        client = with_token if name == "_auth_token" else new_client()
        llm = ChatBedrockContinuing(
            model=MODEL, client=client, bedrock_client=client, region_name="us-east-1"
        )
        with pytest.raises(pickle.PicklingError, match="client: "):
            pickle.dumps(llm)
        owner = resolve_name(DECLARED[name].owner)
        delattr(OF_A_CLIENT[owner.__name__](client), name)
        assert pickle.dumps(llm)

    return check


def is_on_threads(client: Any) -> bool:
    """Return True if a caller on an event loop gets threads."""

    async def found() -> Any:
        return awaiting_session(client, asyncio.get_running_loop())

    return asyncio.run(found()) is None


def without_connecting(patch: Patch) -> None:
    assert not is_on_threads(new_client())
    patch.delattr(HTTPConnection, "_new_conn")
    for one in (AWSHTTPConnection, AWSHTTPSConnection):
        assert not hasattr(one, "_new_conn")
    assert is_on_threads(new_client())


def without_a_return_to_the_pool(patch: Patch) -> None:
    without_a_pools_method("_put_conn")(patch)
    assert is_on_threads(new_client())


WITHOUT: dict[str, Callable[[Patch], None]] = {
    "_ChatModelBinding": without_the_binding,
    "_as_converse": without_the_converse_model,
    "_combine_llm_outputs": without_the_combination,
    "_prepare": without_the_preparation,
    "_agenerate_with_cache": without_a_cache_hook("_agenerate_with_cache"),
    "_compat": without_the_conversions_module,
    "_convert_from_v1_to_anthropic": without_the_conversion_for_claude,
    "_convert_from_v1_to_converse": without_the_conversion,
    "_endpoint": without_the_endpoint,
    "_generate": without_a_call("_generate"),
    "_generate_with_cache": without_a_cache_hook("_generate_with_cache"),
    "_get_base_model": without_the_base_model,
    "_get_connection_manager": without_the_connection_manager,
    "_get_default_model_profile": without_the_profiles,
    "_get_invocation_params": without_parameters("_get_invocation_params"),
    "_get_ls_params": without_parameters("_get_ls_params"),
    "_get_provider": without_the_provider,
    "_inline_reasoning_tags_for_model": without_the_tags,
    "_put_conn": without_a_return_to_the_pool,
    "_serialized": without_the_description,
    **{
        name: without_on_a_client(name, is_on_threads)
        for name in (
            "_emitter",
            "_event_emitter",
            "_get_pool_manager_kwargs",
            "_get_ssl_context",
            "_handlers",
            "_manager",
            "_pool_classes_by_scheme",
            "_proxy_config",
            "_proxy_managers",
        )
    },
    **{
        name: without_on_a_callers_client(name)
        for name in ("_auth_token", "_credentials", "_request_signer")
    },
    "_new_conn": without_connecting,
    "_split_inline_reasoning": without_the_split,
    "_stream": without_a_call("_stream"),
    "_validate_conn": without_a_pools_method("_validate_conn"),
}


def test_each_declared_name_is_taken_away_once() -> None:
    assert WITHOUT.keys() == DECLARED.keys()


@pytest.mark.parametrize("name", list(WITHOUT))
def test_without_it_there_is_a_fallback_or_an_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    WITHOUT[name](monkeypatch)


def run_without(names: list[str], program: str) -> str:
    """Run a program in a process whose libraries lack some of the declared names."""
    gone = [(DECLARED[name].owner, name) for name in names]
    take_away = f"""
import sys
from pkgutil import resolve_name
for owner, name in {gone!r}:
    found = resolve_name(owner)
    for one in found.__mro__ if isinstance(found, type) else [found]:
        if name in vars(one):
            delattr(one, name)
    sys.modules[f"{{owner}}.{{name}}"] = None
"""
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", take_away + program],
        capture_output=True,
        check=False,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_package_imports_without_any_of_them() -> None:
    # Deepest first: a module is found by its path before it is taken away.
    names = sorted(DECLARED, key=lambda name: DECLARED[name].owner, reverse=True)
    program = f"import {OWN}; print({OWN}.ChatBedrockContinuing.__name__)"
    assert run_without(names, program) == "ChatBedrockContinuing\n"
