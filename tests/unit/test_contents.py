"""The page that links others: every page is there with what it found, hostile names are escaped, and what is no page is told in one line."""

from pathlib import Path

import pytest

from gyges.errors import UserError
from gyges.pages.index import write_contents
from gyges.pages.shell import environment, render


def page(path: Path, title: str, told: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(environment(), "index.html.j2", title, told, entries=[]))
    return path


def test_every_page_is_linked_with_what_it_found(tmp_path: Path) -> None:
    page(tmp_path / "a test" / "report.html", "Under pressure: x/y", "Harm in 3/20.")
    page(tmp_path / "store" / "studies" / "mine.html", "Mine", "Of 8 claims 7 hold.")
    (tmp_path / "other.html").write_text("<title>Not ours</title>")
    text = write_contents([tmp_path]).read_text()
    assert "Harm in 3/20." in text and "Of 8 claims 7 hold." in text
    assert 'href="a%20test/report.html"' in text and 'href="store/studies/mine.html"' in text
    assert "Not ours" not in text


def test_the_title_of_a_drawing_is_not_the_pages(tmp_path: Path) -> None:
    path = page(tmp_path / "report.html", "One", "Found.")
    path.write_text(path.read_text().replace("</body>", "<svg><title>A plot</title></svg></body>"))
    assert "A plot" not in write_contents([tmp_path]).read_text()


def test_a_second_time_it_does_not_list_itself(tmp_path: Path) -> None:
    page(tmp_path / "report.html", "One", "Found.")
    assert write_contents([tmp_path]).read_text() == write_contents([tmp_path]).read_text()


def test_pages_elsewhere_are_linked_from_where_the_file_is(tmp_path: Path) -> None:
    one = page(tmp_path / "far" / "report.html", "One", "Found.")
    out = write_contents([one], tmp_path / "here" / "index.html", title="Both")
    assert out == tmp_path / "here" / "index.html"
    assert 'href="../far/report.html"' in out.read_text() and "<h1>Both</h1>" in out.read_text()


FIGURE = """<figure><svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" viewBox="0 0 9 9"><title id="a">A &amp; B</title>\
<desc id="b">Twice as often.</desc>{}</svg></figure>"""


def drawn(path: Path, inside: str) -> Path:
    page(path, "One", "Found.").write_text(path.read_text().replace("</body>", FIGURE.format(inside) + "</body>"))
    return path


def test_the_main_result_is_drawn_beside_the_link(tmp_path: Path) -> None:
    text = write_contents([drawn(tmp_path / "report.html", "<circle/>")]).read_text()
    assert "<figcaption>A &amp; B</figcaption>" in text and 'alt="Twice as often."' in text
    assert "%3Ccircle/%3E" in text and "%3Cstyle%3E" in text


def test_a_drawing_brings_no_markup_of_its_own(tmp_path: Path) -> None:
    hostile = '<script>alert(1)</script><a href="//x">y</a>"><b>'
    text = write_contents([drawn(tmp_path / "report.html", hostile)]).read_text()
    assert "<script" not in text and '="//x' not in text and "<b>" not in text


def test_a_page_named_twice_is_shown_once(tmp_path: Path) -> None:
    path = page(tmp_path / "report.html", "One", "Found.")
    assert write_contents([path, tmp_path]).read_text().count("<article") == 1


def test_what_a_page_says_of_itself_is_escaped(tmp_path: Path) -> None:
    page(tmp_path / "report.html", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    text = write_contents([tmp_path]).read_text()
    assert "<script>" not in text and "<img" not in text


@pytest.mark.parametrize("name", ["empty", "missing.html", "other.html"])
def test_a_place_without_a_page_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.html").write_text("<title>Not ours</title>")
    with pytest.raises(UserError, match="holds no page of Gyges"):
        write_contents([tmp_path / name])
