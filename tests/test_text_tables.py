"""Tables as plain text."""

from rich.table import Table

from midiaug.text_tables import as_text


def test_a_table_is_lines_without_colors_within_its_width():
    table = Table("[bold]piece[/bold]", "notes")
    table.add_row("a very long name " * 10, "12")
    text = as_text(table, 40)
    assert "\x1b" not in text
    assert "piece" in text
    assert max(len(line) for line in text.splitlines()) <= 40
    assert text == text.rstrip()
