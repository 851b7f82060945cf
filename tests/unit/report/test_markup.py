from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.report.markup import Markup, element, join, listed
from tests.support.html import read_html

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(TEXT, TEXT)
def test_any_text_comes_back_as_it_was_and_as_nothing_else(text: str, title: str) -> None:
    (read,) = read_html(element("p", text, title=title)).parts
    assert not isinstance(read, str)
    assert (read.tag, read.text, read.attributes) == ("p", text, {"title": title})
    assert read.everything() == []


def test_markup_stays_markup_and_text_beside_it_does_not() -> None:
    assert element("p", element("b", "<"), "<b>") == "<p><b>&lt;</b>&lt;b&gt;</p>"
    assert join([Markup("<hr>"), "&"]) == "<hr>&amp;"


def test_markup_that_is_joined_to_text_by_hand_is_text_again() -> None:
    assert element("p", Markup("<b>") + "<i>") == "<p>&lt;b&gt;&lt;i&gt;</p>"
    assert element("p", f"{Markup('<b>')}") == "<p>&lt;b&gt;</p>"


def test_attributes_with_hyphens_and_those_that_are_words_of_python() -> None:
    assert element("td", class_="a", data_heading="b") == '<td class="a" data-heading="b"></td>'


def test_an_element_that_holds_nothing_is_not_closed() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_a_list() -> None:
    assert listed(["a", "b"], "c") == '<ul class="c"><li>a</li><li>b</li></ul>'
