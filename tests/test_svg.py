"""A chart is text that stands inside a page: it names itself, and what comes from a file is escaped."""

from xml.etree import ElementTree

from midiaug.comparison.svg import chart, drawn, label, legend, styled


def a_chart(name="a", words="losses"):
    with styled():
        figure, axes = chart(3, 2)
        axes.plot([1, 2, 3], [3, 1, 2], label=name)
        legend(axes)
        return drawn(figure, words)


def test_a_chart_is_one_element_with_its_words_for_who_cannot_see_it():
    element = ElementTree.fromstring(a_chart(words='a "gap" & <more>'))  # noqa: S314  # our own
    assert element.tag.endswith("svg")
    assert element.attrib["aria-label"] == 'a "gap" & <more>'
    assert element.attrib["role"] == "img"


def test_text_stays_text_and_what_comes_from_a_file_is_escaped():
    text = a_chart("<script>alert(1)</script> $x$")
    assert "<script>" not in text
    texts = [node.text for node in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert "<script>alert(1)</script> $x$" in texts


def test_the_same_chart_is_the_same_text():
    assert a_chart() == a_chart()
    assert "Date" not in a_chart()
    assert "<metadata" not in a_chart()


def test_a_long_name_takes_two_lines_at_most():
    assert label("short") == "short"
    lines = label("aug.shifts=[-5,5] model=lstm and so on and so forth, for very long indeed").split("\n")
    assert len(lines) == 2
    assert all(len(line) <= 28 for line in lines)
    assert lines[1].endswith("…")
