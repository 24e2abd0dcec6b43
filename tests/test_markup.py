"""What comes from a file stands in the page as text."""

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


def test_a_page_is_whole_and_fits_a_phone():
    text = document("Title", [chart_row([card("a", "<b>content</b>")])])
    assert text.startswith("<!DOCTYPE html>")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert '<div class="charts"><div class="card"><h3>a</h3><b>content</b></div></div>' in text
