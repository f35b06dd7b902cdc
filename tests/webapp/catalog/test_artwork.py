"""Drawn posters: always the same, always whole, whatever the name."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.catalog.artwork import HEIGHT, MARGIN, WIDTH, _width, fit, poster_svg, poster_url
from webapp.catalog.models import Title


def title(name, genres=(), **fields):
    made = Title(pk=1, external_id=fields.pop("external_id", "t1"), name=name, year=1968, **fields)
    made._prefetched_objects_cache = {"genres": Genres(genres)}
    return made


class Genres(list):
    """Stands where prefetched genres stand."""

    def __init__(self, names):
        super().__init__(type("Genre", (), {"name": name})() for name in names)

    def all(self):
        return self


printable = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300
).filter(str.strip)


@given(printable)
def test_any_name_makes_a_whole_drawing_that_fits(name):
    size, lines = fit(name)
    assert lines
    assert all(_width(line, size) <= WIDTH - 2 * MARGIN for line in lines)
    assert len(lines) * size * 1.06 <= HEIGHT * 0.5


@pytest.mark.parametrize(
    "name", ["A <b>bold</b> & 'quoted' film", "M", "千と千尋の神隠し", "x" * 300]
)
def test_the_drawing_is_well_formed_and_the_same_every_time(name):
    svg = poster_svg(title(name, ["Western"]))
    assert svg == poster_svg(title(name, ["Western"]))
    ElementTree.fromstring(svg)
    assert len(svg.encode()) < 6000


def test_another_title_or_genre_is_drawn_differently():
    drawings = {
        poster_svg(title("Heat", genres, external_id=id_))
        for genres, id_ in [(["Crime"], "a"), (["Romance"], "a"), (["Crime"], "b")]
    }
    assert len(drawings) == 3


def test_an_operators_poster_comes_first():
    assert poster_url(title("Heat", poster_url="https://example.org/heat.jpg")) == (
        "https://example.org/heat.jpg"
    )
    assert poster_url(title("Heat")).startswith("/posters/1.svg?v=")
