"""The style sheet of all HTML, light and dark, and a bar of segments in HTML.

A page is dark if it says so (JupyterLab, VS Code, Sphinx themes). If it says nothing,
the reader's own setting decides (`prefers-color-scheme`). Where a page drops style
sheets, as GitHub does, the text and the marks stay readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_bedrock_continue._display.bar import Part

_LIGHT = """
  --lbc-ink: var(--jp-content-font-color1, var(--vscode-editor-foreground, #1f2328));
  --lbc-soft: var(--jp-content-font-color2,
    var(--vscode-descriptionForeground, #59636e));
  --lbc-line: rgba(110, 119, 129, 0.3); --lbc-rest: rgba(110, 119, 129, 0.22);
  --lbc-a: #0969da; --lbc-a-tint: rgba(9, 105, 218, 0.09);
  --lbc-b: #0f766e; --lbc-b-tint: rgba(15, 118, 110, 0.13);
  --lbc-seam: #9a6700; --lbc-seam-tint: #fff1c2;
  --lbc-good: #1a7f37; --lbc-bad: #c9252d;
"""

_DARK = """
  --lbc-ink: var(--jp-content-font-color1, var(--vscode-editor-foreground, #e6edf3));
  --lbc-soft: var(--jp-content-font-color2,
    var(--vscode-descriptionForeground, #9da7b3));
  --lbc-line: rgba(145, 152, 161, 0.35); --lbc-rest: rgba(145, 152, 161, 0.28);
  --lbc-a: #58a6ff; --lbc-a-tint: rgba(88, 166, 255, 0.15);
  --lbc-b: #2dd4bf; --lbc-b-tint: rgba(45, 212, 191, 0.14);
  --lbc-seam: #f2cc60; --lbc-seam-tint: rgba(187, 128, 9, 0.32);
  --lbc-good: #3fb950; --lbc-bad: #ff7b72;
"""

_DARK_PAGES = ", ".join(
    f"{page} .lbc"
    for page in (
        'body[data-jp-theme-light="false"]',
        "body.vscode-dark",
        "body.vscode-high-contrast",
        'html[data-theme="dark"]',
        'html[theme="dark"]',
    )
)
_LIGHT_PAGES = ", ".join(
    f"{page} .lbc"
    for page in (
        'body[data-jp-theme-light="true"]',
        "body.vscode-light",
        'html[data-theme="light"]',
        'html[theme="light"]',
    )
)

_RULES = """
.lbc { color: var(--lbc-ink); font: 13px/1.55 var(--jp-content-font-family, system-ui,
  -apple-system, "Segoe UI", sans-serif); max-width: 56em; }
.lbc * { box-sizing: border-box; }
.lbc-head { display: flex; flex-wrap: wrap; gap: 0 0.9em; align-items: baseline; }
.lbc-name { font-weight: 600; }
.lbc-soft, .lbc summary { color: var(--lbc-soft); }
.lbc-complete { color: var(--lbc-good); font-weight: 600; }
.lbc-incomplete, .lbc-running { color: var(--lbc-seam); font-weight: 600; }
.lbc-failed { color: var(--lbc-bad); font-weight: 600; }
.lbc-bar { display: flex; gap: 2px; height: 8px; min-width: 5em; }
.lbc-bar > i { flex: 1 1 0; min-width: 3px; border-radius: 2px; }
.lbc-bar > b { flex: 0 0 2px; margin: -3px 0; background: var(--lbc-seam);
  border-radius: 1px; }
.lbc-a { background: var(--lbc-a); }
.lbc-b { background: var(--lbc-b); }
.lbc-open { background: var(--lbc-rest); }
.lbc-replaced { background: repeating-linear-gradient(-45deg, var(--lbc-bad) 0 2px,
  transparent 2px 5px); }
"""


def style_sheet(rules: str = "") -> str:
    """Return a `<style>` element.

    Args:
        rules: More rules than those for all HTML.
    """
    return (
        f"<style>.lbc {{{_LIGHT}}}\n"
        f"@media (prefers-color-scheme: dark) {{ .lbc {{{_DARK}}} }}\n"
        f"{_DARK_PAGES} {{{_DARK}}}\n{_LIGHT_PAGES} {{{_LIGHT}}}\n"
        f"{_RULES}{rules}</style>"
    )


def tone(number: int) -> str:
    """Return the letter of a segment's colour; neighbours have different ones.

    Args:
        number: The segment's number, from 1.
    """
    return "ab"[(number + 1) % 2]


def bar_html(parts: Sequence[Part]) -> str:
    """Return a bar of segments, with a mark at each seam.

    Args:
        parts: The parts.
    """
    drawn = "".join(
        f"{'<b></b>' if part.seam else ''}"
        f'<i class="lbc-{tone(part.number) if part.kind == "text" else part.kind}" '
        f'style="flex-grow: {part.tokens}"></i>'
        for part in parts
    )
    return f'<div class="lbc-bar" role="img" aria-label="segments">{drawn}</div>'
