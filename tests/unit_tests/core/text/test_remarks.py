"""The rules REMARK-1 to REMARK-3."""

import pytest

from langchain_bedrock_continue._core.text.remarks import is_remark, may_become_remark

REMARKS = [
    "The answer was already complete.",
    "(The response was already complete.)",
    "*My previous answer was already complete, so there is nothing to add.*",
    "The list is already complete.",
    "I'm sorry, my last reply was already complete. Let me know if I can help!",
    "It looks like the answer was already complete.",
    "There is nothing more to add.",
    "No further continuation is needed.",
    "[End of response]",
    "Note: the text was not cut off.",
    "That is the end of my answer.",
    "Die Antwort war bereits vollständig.",
    "Meine letzte Antwort war schon abgeschlossen. Es gibt nichts hinzuzufügen.",
    "La réponse était déjà complète.",
    "Ma réponse précédente était déjà terminée. Il n'y a rien à ajouter.",
    "La respuesta ya estaba completa.",
    "前の回答はすでに完了しています。",
    "回答は既に完結しています。これ以上追加する内容はありません。",
    "我的回答已经完整。",
    "之前的回答已经完成，没有需要补充的内容。",
    "이전 답변은 이미 완료되었습니다.",
]
TEXTS = [
    "The setup is complete.",
    "The answer was already complete in 1850, when he",
    "The answer is 42.",
    "The answer was already complete. Then she added a line.",
    "This is the list: one, two.",
    "回答は三つあります。",
    "Die Antwort war falsch.",
    "",
]


@pytest.mark.parametrize("remark", REMARKS)
def test_a_remark_is_known_and_may_begin_so_at_each_character(remark: str) -> None:
    assert is_remark(remark, "It is so.")
    assert is_remark("\n\n" + remark, "he asked for an")
    for end in range(1, len(remark)):
        assert may_become_remark(remark[:end], "It is so."), remark[:end]


@pytest.mark.parametrize("text", TEXTS)
def test_remark_3_other_sentences_are_text(text: str) -> None:
    assert not is_remark(text, "It is so.")


def test_remark_2_a_remark_does_not_begin_in_mid_sentence() -> None:
    rest = " the answer was already complete."
    assert not is_remark(rest, "He asked whether")
    assert not may_become_remark(rest, "He asked whether")
    assert is_remark(rest, "He asked.")


def test_most_text_is_no_remark_from_its_first_words_on() -> None:
    assert not may_become_remark("other bed", "he asked for an")
    assert not may_become_remark("Then she left", "It is so.")
    assert not may_become_remark("The cat " + "sat and " * 8, "It is so.")
