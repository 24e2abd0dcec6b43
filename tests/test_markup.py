"""What comes from a file stands in the page as text."""

import re
from html import unescape

from midiaug.comparison.markup import card, chart_row, document, quiet, table

NASTY = '<script>alert("1")</script>\x1b[2J'
SAFE = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\\x1b[2J"


def test_names_are_escaped_wherever_they_may_stand():
    for text in (table([NASTY], []), table([], [[NASTY]]), table([], [[f"a\n{NASTY}"]]), card(NASTY), quiet(NASTY)):
        assert SAFE in text
        assert "<script" not in text
    assert "<script" not in document(NASTY, [])


def test_a_second_line_is_small_and_a_table_lies_in_a_box_that_scrolls():
    text = table(["a"], [["one\ntwo"]], "facts")
    assert text.startswith('<div class="box"><table class="facts"><thead>')
    assert '<td>one<br><span class="quiet">two</span></td>' in text


def test_a_long_second_line_is_cut_in_its_middle_and_can_be_read_whole():
    name = "2026-11-27_15-34-01-746374_aug=none,model.hidden=32,model=gru,seed=<0>,trainer.max_epochs=2"
    text = table(["run"], [[f"GRU\n{name}"]])
    whole = name.replace("<0>", "&lt;0&gt;")
    assert f'title="{whole}">2026-11-27_15-34-01-746374…' in text
    shown = unescape(text.split('">')[-1].partition("</span>")[0])
    assert len(shown) <= 53
    assert shown.endswith("trainer.max_epochs=2")


def test_on_a_phone_the_first_column_is_wide_enough_for_a_name():
    phone = document("a", []).partition("@media (max-width: 480px)")[2]
    width = float(re.search(r"td:first-child { min-width: ([\d.]+)em", phone)[1])
    assert width >= 12


def test_a_page_is_whole_and_fits_a_phone():
    text = document("Title", [chart_row([card("a", "<b>content</b>")])])
    assert text.startswith("<!DOCTYPE html>")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert '<div class="charts"><div class="card"><h3>a</h3><b>content</b></div></div>' in text
