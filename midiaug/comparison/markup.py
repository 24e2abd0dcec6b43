"""The pieces that the page is put together from; whatever comes from a file is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from midiaug.printable import printable

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 16px; background: #fff; color: #1c1c1c;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2em; } h2 { font-size: 1.25rem; margin: 2em 0 .4em; }
h3 { font-size: .95rem; margin: 0 0 .3em; overflow-wrap: anywhere; }
p { max-width: 75ch; margin: .4em 0; overflow-wrap: anywhere; }
.quiet { color: #595959; font-size: .88rem; }
.box { overflow-x: auto; margin: .6em 0; background:
  linear-gradient(to left, #fff 35%, #fff0) right / 44px 100% no-repeat local,
  linear-gradient(to left, #0003, #0000) right / 16px 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3em .7em; text-align: right; border-bottom: 1px solid #e2e2e2; white-space: nowrap; }
th { font-weight: 600; white-space: normal; border-bottom: 2px solid #bbb; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 12em; overflow-wrap: anywhere;
  position: sticky; left: 0; background: #fff; }
table.facts td:last-child { text-align: left; white-space: normal; }
.charts { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }
.card { flex: 0 1 373px; max-width: 100%; min-width: 0; border: 1px solid #e2e2e2; border-radius: 6px; padding: 10px; }
svg { max-width: 100%; height: auto; display: block; }
.gain { border-left: 5px solid #777; padding: .2em .9em; margin: .7em 0; }
.helped { border-color: #2e7d4f; } .nothelped { border-color: #b3372f; }
ul.remarks { background: #fff7e0; border: 1px solid #ead9a0; border-radius: 6px; padding: .6em 1em .6em 2em; }
ul.remarks li { overflow-wrap: anywhere; }
@media (max-width: 480px) { body { padding: 10px; font-size: 15px; } th, td { padding: .25em .5em; }
  th:first-child, td:first-child { min-width: 13em; max-width: 50vw; } }
"""
_END = 26  # characters of a long name's two ends, such as the time that a run's folder begins with


def document(title: str, parts: Sequence[str]) -> str:
    """A whole page of these parts, without scripts and without anything from elsewhere."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}<title>{escape(printable(title))}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table that scrolls inside its box; a second line in a cell is set smaller, a long one without its middle."""
    head = "".join(f"<th>{escape(printable(cell))}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if heads else ""
    return f'<div class="box"><table class="{kind}">{top}<tbody>{body}</tbody></table></div>'


def _cell(text: str) -> str:
    first, newline, second = _lines(text)
    if not newline:
        return escape(first)
    if len(second) <= 2 * _END + 1:
        return f'{escape(first)}<br><span class="quiet">{escape(second)}</span>'
    short = f"{second[:_END]}…{second[-_END:]}"
    return f'{escape(first)}<br><span class="quiet" title="{escape(second)}">{escape(short)}</span>'


def _lines(text: str) -> tuple[str, str, str]:
    """Text up to its first line break, the break, and the rest, each without codes."""
    first, newline, second = text.partition("\n")
    return printable(first), newline, printable(second)


def card(title: str, *content: str) -> str:
    """A frame with a title around content that is HTML already."""
    head = f"<h3>{escape(printable(title))}</h3>" if title else ""
    return f'<div class="card">{head}{"".join(content)}</div>'


def chart_row(cards: Iterable[str]) -> str:
    """Cards beside each other, as many as the screen is wide enough for."""
    return f'<div class="charts">{"".join(cards)}</div>'


def quiet(text: str) -> str:
    """A remark in small print."""
    return f'<p class="quiet">{escape(printable(text))}</p>'
