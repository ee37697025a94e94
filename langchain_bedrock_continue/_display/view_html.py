"""A finished message in HTML: all of its text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from langchain_bedrock_continue._display.pieces import legend
from langchain_bedrock_continue._display.styles import style_sheet, tone
from langchain_bedrock_continue._display.words import count, short_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._display.bar import Part
    from langchain_bedrock_continue._display.pieces import Call, Piece
    from langchain_bedrock_continue.view import ContinuationView

MOST_CAPTIONS = 6
"""More parts of a bar than that have no room for words below them."""

RULES = """
.lbc-view { padding: 0.2em 0; }
.lbc-segments { display: flex; gap: 2px; margin: 0.7em 0 0.2em; }
.lbc-segments > div { flex: 1 1 0; min-width: 1.2em; overflow: hidden; }
.lbc-segments > .lbc-joined { border-left: 2px solid var(--lbc-seam);
  padding-left: 2px; }
.lbc-segments > .lbc-joined > span { padding-left: 3px; }
.lbc-segments i { display: block; height: 8px; border-radius: 2px; }
.lbc-segments span { display: block; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; font-size: 0.85em; }
.lbc-segments b { font-weight: 600; }
.lbc-text { margin: 0.9em 0; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: 1.08em; line-height: 1.75; }
.lbc-text > span { padding: 0.15em 0; border-radius: 2px;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.lbc-text > .lbc-text-a { background: var(--lbc-a-tint); }
.lbc-text > .lbc-text-b { background: var(--lbc-b-tint); }
.lbc-text > .lbc-mark { background: var(--lbc-seam-tint); color: var(--lbc-seam);
  border-left: 2px solid var(--lbc-seam); padding: 0.15em 0.4em; margin: 0 1px;
  font-size: 0.72em; font-weight: 700; user-select: none; border-radius: 0 3px 3px 0;
  vertical-align: 0.12em; }
.lbc-call { margin: 0.3em 0; font: 0.95em/1.6 var(--jp-code-font-family, ui-monospace,
  Menlo, Consolas, monospace); white-space: pre-wrap; overflow-wrap: anywhere;
  border-left: 3px solid var(--lbc-good); padding: 0.1em 0.7em; }
.lbc-call.lbc-invalid { border-color: var(--lbc-bad); }
.lbc-call > div { color: var(--lbc-bad); }
.lbc details { margin: 0.7em 0 0; }
.lbc summary { cursor: pointer; }
.lbc-thought { white-space: pre-wrap; overflow-wrap: anywhere; color: var(--lbc-soft);
  border-left: 3px solid var(--lbc-line); padding: 0 0.8em; margin: 0.4em 0; }
.lbc-table { display: grid; grid-template-columns: repeat(4, max-content);
  gap: 0 1.2em; font-variant-numeric: tabular-nums; margin: 0.3em 0; }
.lbc-facts { display: grid; grid-template-columns: max-content 1fr; gap: 0 1.2em;
  margin-top: 0.9em;
  border-top: 1px solid var(--lbc-line); padding-top: 0.5em;
  font-variant-numeric: tabular-nums; }
"""


def html(view: ContinuationView) -> str:
    """Return a view as HTML.

    Args:
        view: The view.
    """
    body = [_head(view), _segments(view)]
    if view.reasoning:
        body.append(_reasoning(view.reasoning))
    body.append(f'<div class="lbc-text">{"".join(_text(view.pieces))}</div>')
    body += map(_call, view.calls)
    body.append(_facts(view))
    return f'{style_sheet(RULES)}<div class="lbc lbc-view">{"".join(body)}</div>'


def _head(view: ContinuationView) -> str:
    report = view.report
    state = "complete" if report.complete else "incomplete"
    sign = "✓" if report.complete else "!"
    ended = "" if report.complete else f" ({escape(str(report.ended_by))})"
    return (
        f'<div class="lbc-head"><span class="lbc-{state}">{sign} {state}{ended}</span>'
        f'<span class="lbc-name">{escape(short_model(report.model))}</span>'
        f'<span class="lbc-soft">{count(len(report.segments), "segment")}</span></div>'
    )


def _segments(view: ContinuationView) -> str:
    """Return the bar with its legend: below it, or in a table if it is too narrow."""
    words = legend(view.bar, view.report.segments)
    wide = len(words) <= MOST_CAPTIONS
    drawn = "".join(
        _segment(part, said, wide=wide)
        for part, said in zip(view.bar, words, strict=True)
    )
    bar = f'<div class="lbc-segments">{drawn}</div>'
    return bar if wide else bar + _table(words)


def _segment(part: Part, words: tuple[str, ...], *, wide: bool) -> str:
    label, strategy, tokens, why = map(escape, words)
    colour = f"lbc-{tone(part.number)}" if part.kind == "text" else "lbc-replaced"
    caption = (
        f"<span><b>{label} {strategy}</b></span>" if wide else f"<span>{label}</span>"
    )
    if wide:
        caption += f'<span class="lbc-soft">{tokens}</span>'
        caption += f'<span class="lbc-soft">{why}</span>'
    joined = ' class="lbc-joined"' if part.seam else ""
    return (
        f'<div{joined} style="flex-grow: {part.tokens}" '
        f'title="{label} {strategy}: {tokens} {why}"><i class="{colour}"></i>'
        f"{caption}</div>"
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    cells = "".join(f"<span>{escape(cell)}</span>" for row in rows for cell in row)
    return (
        "<details><summary>Segments</summary>"
        f'<div class="lbc-table">{cells}</div></details>'
    )


def _reasoning(text: str) -> str:
    return (
        f"<details><summary>Reasoning, {count(len(text), 'character')}</summary>"
        f'<div class="lbc-thought">{escape(text)}</div></details>'
    )


def _text(pieces: Sequence[Piece]) -> list[str]:
    drawn = []
    for at, piece in enumerate(pieces):
        if at:
            drawn.append(
                f'<span class="lbc-mark" title="seam {at}: segment {piece.number} '
                f'continues here">{piece.number}</span>'
            )
        text = escape(piece.text)
        drawn.append(f'<span class="lbc-text-{tone(piece.number)}">{text}</span>')
    return drawn


def _call(call: Call) -> str:
    kind = " lbc-invalid" if call.error else ""
    error = f"<div>{escape(call.error)}</div>" if call.error else ""
    text = f"<b>{escape(call.name)}</b>({escape(call.arguments)})"
    return f'<div class="lbc-call{kind}">{text}{error}</div>'


def _facts(view: ContinuationView) -> str:
    facts = "".join(
        f'<span class="lbc-soft">{escape(name)}</span><span>{escape(value)}</span>'
        for name, value in view.report.facts()
    )
    return f'<div class="lbc-facts">{facts}</div>'
