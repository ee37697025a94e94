"""What is answered in the turns that fail, by which models, and in what segments."""

from dataclasses import dataclass, field
from typing import Any

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Think
from tests.support.answers import tools
from tests.support.fault_cells import AT_ONCE, Llm
from tests.support.models import (
    MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    chat_bedrock,
    plain_model,
)

SEGMENTS = 3


@dataclass(frozen=True)
class Kind:
    """An answer, and who gives it; the size makes three segments of it."""

    answer: Answer
    model: str
    size: int
    settings: dict[str, Any] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    wraps: Any = plain_model

    def llm(self, bedrock: LocalBedrock, client: Any, **settings: Any) -> Llm:
        clients = {"client": client, "bedrock_client": client}
        sizes = {"model": self.model, "max_tokens": self.size}
        wrapped = self.wraps(bedrock, **clients, **sizes, **self.settings)
        llm = ChatBedrockContinuing(llm=wrapped, max_concurrency=AT_ONCE, **settings)
        return llm.bind_tools(tools(*self.tools)) if self.tools else llm


# They have what makes a seam hard, and the longer one room for echoes.
SHORT = 'Do:\n\n```py\nx = {\n    "日": 1,\n}\n```\n\nha ha ha! Done.\n'
LONG = SHORT.replace("1,\n", '1,\n    "本": 2,\n').replace("Done", "Done, all")

TALKS = {
    "prefill": Kind(Answer(SHORT), MODEL, 10),
    "user turn": Kind(Answer(LONG), REFUSING_MODEL, 15),
    "InvokeModel": Kind(
        Answer("Do: {\n  1,\n}\n\nha ha! 日"), MODEL, 5, wraps=chat_bedrock
    ),
}

SAYS = "I write it, and read it again, and again. "
WRITE = CallTool("write", {"n": 7}, tool_use_id="t1")
READ = CallTool("read", {"q": '"日'}, tool_use_id="t2")
NAMES = ("write", "read")
CALL = Answer([SAYS, WRITE, READ], fine_grained=True)
THOUGHT = Answer([Think("A file."), SAYS, WRITE, READ], fine_grained=True)

# No prefill may follow reasoning.
CALLS = {
    "prefill": Kind(CALL, PREFILL_MODEL, 9, {}, NAMES),
    "user turn": Kind(THOUGHT, REFUSING_MODEL, 12, THINKING, NAMES),
}
