"""A name holds no codes."""

from midiaug.printable import printable


def test_a_name_holds_no_codes_and_no_bytes_that_are_no_text():
    assert printable("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert printable(b"\xff.mid".decode("utf-8", "surrogateescape")) == "\\udcff.mid"
    assert printable("Tänze 日本") == "Tänze 日本"
