"""Remarks that the answer was already complete, which are no part of the answer.

Asked to continue an answer that it thinks is over, a model writes "The answer was
already complete." instead of new text.

REMARK-1. A remark is dropped only if it is the complete message, or all that follows
    the echo. Text that continues after it shows that it belongs to the answer.
REMARK-2. A remark begins a sentence. In mid-sentence, "the answer was already complete"
    is what the text says about another answer.
REMARK-3. All its sentences are about the answer itself, and one says that nothing is
    missing. A complete thing of another kind ("The setup is complete.") is text.
"""

from __future__ import annotations

import re

MAX_REMARK = 240
"""The most characters of a remark."""

_MAX_SUBJECT = 60
"""A remark names the answer within so many characters."""

_ANSWER = r"(?:answer|response|reply|message|output|text|content)s?"
_OTHER = (
    r"(?:list|table|code(?: block)?|story|article|document|json|poem|explanation"
    r"|example|section|summary|it|that|this|everything)"
)
_WHOSE = r"(?:(?:my|the|this|that|your) )?(?:(?:previous|last|above|earlier|quoted) )*"
_IS = r"(?:is|was|were|had been|has been|appears? to be|seems? to be|appeared to be)"
_DONE = r"(?:complete|completed|finished|done|whole|in full)"
_ALREADY = r"(?:(?:in fact|actually|indeed) )?already (?:fully |actually )?"
_MORE = r"(?: and .{0,80}|,? so .{0,80}|[,;:\u2014-].{0,100}| above| there)?"
_HEDGE = (
    r"(?:(?:i apologi[sz]e|i'm sorry|i am sorry|sorry|note that|please note that|note"
    r"|actually|however|it (?:looks like|seems|appears)(?: that)?|as far as i can tell"
    r"|i (?:believe|think)(?: that)?|but|since|because|as)[,:;]? )*"
)

_COMPLETE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # English, such as: My previous answer was already complete.
        (
            rf"{_HEDGE}{_WHOSE}{_ANSWER}(?: above| so far)? {_IS} "
            rf"(?:{_ALREADY}|now |fully )?{_DONE}{_MORE}"
        ),
        rf"{_HEDGE}{_WHOSE}{_OTHER} {_IS} {_ALREADY}{_DONE}{_MORE}",
        (
            rf"{_HEDGE}{_WHOSE}{_ANSWER} {_IS} not "
            r"(?:cut off|truncated|interrupted).{0,60}"
        ),
        (
            r"(?:this|that) (?:is|was) the (?:end of|complete|full) "
            rf"(?:the |my )?{_ANSWER}"
        ),
        rf"end of (?:the |my )?{_ANSWER}",
        # German
        (
            r"(?:die|meine|diese|der|mein|das) (?:(?:vorherige|letzte|obige)\w* )?"
            r"(?:antwort|ausgabe|nachricht|text|liste|tabelle|code|geschichte) "
            r"(?:war|ist) "
            r"(?:ja |damit |somit )?(?:bereits|schon) "
            r"(?:vollständig|komplett|abgeschlossen|fertig|beendet|zu ende).{0,80}"
        ),
        # French
        (
            r"(?:la|ma|cette|le|mon|ce) (?:réponse|message|texte|liste|tableau|code)"
            r"(?: précédente?| ci-dessus)? (?:était|est|semble|semblait) (?:déjà )"
            r"(?:être )?(?:complète?|terminée?|achevée?|finie?|entière).{0,80}"
        ),
        # Spanish, Italian, Portuguese
        (
            r"(?:la|mi|esta) (?:respuesta|lista|tabla)(?: anterior)? ya "
            r"(?:estaba|está|había) (?:completa|terminada|finalizada|terminado).{0,80}"
        ),
        (
            r"(?:la|la mia) risposta(?: precedente)? (?:era|è) già "
            r"(?:completa|finita).{0,80}"
        ),
        (
            r"(?:a|minha) (?:minha )?resposta(?: anterior)? já (?:estava|está) "
            r"(?:completa|concluída).{0,80}"
        ),
        # Japanese
        (
            r"(?:(?:前回?|上記|以上|先ほど|先程|以前|この|その|私|直前)の?)*"
            r"(?:回答|返答|応答|答え|文章|メッセージ|出力|内容|テキスト)(?:は|が|も)?、?"
            r"(?:すでに|既に|もう)(?:完了|完結|完成|完全|終わっ|終了).{0,30}"
        ),
        # Chinese
        (
            r"(?:我|你|的|之前|上面|上述|以上|前面|先前|刚才|剛才|这个|這個|该|該|上一个|上一條)*"
            r"(?:回答|答案|回复|回覆|答复|答覆|内容|內容|消息|文本|输出|輸出)"
            r"(?:本来|其实|在此|到此|就|是)*(?:已经|已經|已|早已)(?:是|经)?"
            r"(?:完整|完成|结束|結束|写完|寫完|全部).{0,20}"
        ),
        # Korean
        (
            r"(?:이전 |위의? |제 )?(?:답변|응답|내용)(?:은|이) 이미 "
            r"(?:완료|완성|완전|끝).{0,20}"
        ),
    )
)
"""Sentences which say that the answer was complete."""

_NOTHING_MORE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:so )?there(?: is|'s| was) nothing (?:more|else|further|left)?.{0,60}",
        (
            r"(?:so )?(?:nothing|no) (?:more |further |additional )?"
            r"(?:continuation|text|content|is needed|to (?:add|continue)).{0,60}"
        ),
        r"(?:please )?let me know (?:if|whether|what).{0,120}",
        r"if you(?:'d| would)? (?:like|want|need|have).{0,140}",
        r"(?:feel free|i(?:'m| am) happy) to .{0,120}",
        r"es (?:gibt|ist) nichts (?:mehr |weiter )?(?:hinzuzufügen|zu ergänzen).{0,40}",
        r"il n'y a (?:plus )?rien (?:d'autre )?à (?:ajouter|compléter).{0,40}",
        r"(?:no hay|não há|non c'è) (?:nada|nulla|niente).{0,60}",
        r"(?:これ以上)?(?:追加|付け加え|続き).{0,20}(?:ありません|ないです|ございません)",
        r"(?:没有|沒有|无需|無需|不需要).{0,6}(?:补充|補充|继续|繼續|内容).{0,10}",
    )
)
"""Sentences that may stand beside them, or by themselves."""

_ALONE = 2
"""How many of `_NOTHING_MORE`, from the first, are remarks by themselves."""

_OPENERS = tuple(
    """
    the_|my_|this_|that_|your_|previous_|it_|i apologi|i'm sorry|i am sorry|sorry|note
    please note|actually|however|as far as|i believe|i think|end of_|everything_
    answer_|response_|there is nothing|there's nothing|there was nothing|nothing_|no_
    die_|meine_|diese_|der_|mein_|das_|es gibt nichts|la_|ma_|cette_|le_|mon_|ce_
    il n'y a|mi_|esta_|a resposta|minha_|a minha
    前|上|以|先|こ|そ|私|直|回答|返答|応答|答|文|メ|出力|内|テ
    我|你|之|刚|剛|这|這|该|該|回|消|输|輸|已|이전|위|제_|답변|응답|내용
    """.strip()
    .replace("\n    ", "|")
    .replace("_", " ")
    .split("|")
)
"""How a remark begins, in lower case and with plain apostrophes."""

_SUBJECTS = re.compile(
    rf"{_ANSWER}|{_OTHER}|nothing|continuation|antwort|ausgabe|nachricht|liste|tabelle"
    "|geschichte|nichts|réponse|texte|tableau|rien|respuesta|lista|tabla|risposta"
    "|resposta|[\u3040-\u9fff\uac00-\ud7a3]",
    re.IGNORECASE,
)
_MARKS = " \t\r\n*_([\u300c\u3010\uff08\"'\u2014-"
_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[。！])\s*")
_ENDS = ".!。！ \t\r\n*_)]\u300d\u3011\uff09\"'"
_ENDS_A_SENTENCE = frozenset(".!?:;。！？…)]}>|*_`\"'\u201d\u2019」』）】")


def is_remark(rest: str, body: str) -> bool:
    """Return True if all that a message adds is a remark that nothing is missing.

    Args:
        rest: What the message adds; all of it.
        body: The text so far, without its trailing whitespace.
    """
    if not _may_begin(rest, body) or len(rest.strip()) > MAX_REMARK:
        return False
    sentences = [
        sentence.lstrip(_MARKS).rstrip(_ENDS).replace("\u2019", "'")
        for sentence in _SENTENCES.split(rest.strip())
    ]
    sentences = [" ".join(sentence.split()) for sentence in sentences if sentence]
    says_so = any(
        _matches(sentence, (*_COMPLETE, *_NOTHING_MORE[:_ALONE]))
        for sentence in sentences
    )
    return says_so and all(
        _matches(sentence, (*_COMPLETE, *_NOTHING_MORE)) for sentence in sentences
    )


def _matches(sentence: str, patterns: tuple[re.Pattern[str], ...]) -> bool:
    return any(pattern.fullmatch(sentence) for pattern in patterns)


def may_become_remark(start: str, body: str) -> bool:
    """Return True if more characters could make this start a remark.

    Args:
        start: What the message has added so far.
        body: The text so far, without its trailing whitespace.
    """
    words = start.lstrip(_MARKS).lower().replace("\u2019", "'")
    if not words:
        return len(start) <= MAX_REMARK
    if len(words) > MAX_REMARK or not _may_begin(start, body):
        return False
    if not any(
        words.startswith(opener) or opener.startswith(words) for opener in _OPENERS
    ):
        return False
    return len(words) <= _MAX_SUBJECT or bool(_SUBJECTS.search(words, 0, _MAX_SUBJECT))


def _may_begin(start: str, body: str) -> bool:
    """Return True if a sentence may begin here (REMARK-2)."""
    visible = start.lstrip()
    if not visible or not body or body[-1] in _ENDS_A_SENTENCE:
        return True
    return "\n" in start[: -len(visible)] or not visible[0].islower()
