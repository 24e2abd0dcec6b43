"""The bar takes nothing away from what it counts, and writes nothing where there is no terminal."""

from midiaug.comparison.progress import tracked


def test_all_items_come_in_their_order_and_nothing_is_written(capfd):
    assert list(tracked([3, 1, 2], "counting")) == [3, 1, 2]
    assert capfd.readouterr() == ("", "")
