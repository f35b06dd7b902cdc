"""Drawn posters: always the same, always whole, whatever the name."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.artwork.lettering import clean, cut, letter
from webapp.artwork.motifs import MOTIFS
from webapp.artwork.palettes import CAPS, DEFAULT, SANS, SERIF, STYLES, genre_with_style
from webapp.artwork.posters import (
    COLUMN,
    DIRECTORS,
    HEIGHT,
    MARGIN,
    SIZES,
    WIDTH,
    backdrop_svg,
    poster_svg,
    poster_url,
    poster_version,
)
from webapp.catalog.models import Credit, Person, Title

SVG = "{http://www.w3.org/2000/svg}"
LONGEST = "Night of the Day of the Dawn of the Son of the Bride of the Return of the " * 4
NAMES = ["M", "It", "千と千尋の神隠し", "العربي: قصة طويلة جدا", "W" * 300, LONGEST, "🎬 " * 150]
any_text = st.text(max_size=300)
faces = pytest.mark.parametrize("face", [SANS, SERIF, CAPS], ids=["sans", "serif", "caps"])


@dataclass(frozen=True)
class Named:
    """Stands where a genre stands."""

    name: str


class Genres(list):
    """Stands where prefetched genres stand."""

    def all(self):
        return self


def title(name="Heat", *genres, external_id="t1", year=1968, director="", **fields):
    made = Title(pk=1, external_id=external_id, name=name, year=year, **fields)
    made._prefetched_objects_cache = {"genres": Genres(map(Named, genres))}
    if director:
        made.director_credits = [Credit(person=Person(name=director))]
    return made


def texts(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@faces
@given(name=any_text)
@example(name="")
@example(name="\x00\x1b\ufffe")
def test_any_name_is_set_within_its_box(face, name):
    set_ = letter(name, face, COLUMN, 128, SIZES)
    assert set_.lines
    assert all(face.width(line, set_.size) <= COLUMN for line in set_.lines)
    assert set_.height <= 128


@given(name=any_text, director=any_text, genre=st.sampled_from([*STYLES, ""]), seed=st.text())
def test_any_title_is_drawn_as_whole_xml_inside_the_margins(name, director, genre, seed):
    svg = poster_svg(title(name, genre, external_id=seed, director=director))
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        is_turned = text.get("x") == "0"
        assert is_turned or MARGIN <= float(text.get("y")) <= HEIGHT - MARGIN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("external_id", ["a", "b", "c", "d", "e", "f"])
def test_no_drawing_is_large(name, external_id):
    for genre in [*STYLES, ""]:
        svg = poster_svg(title(name, genre, external_id=external_id, director=LONGEST))
        assert len(svg.encode()) < 4000, genre


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_short_name_is_written_out(name):
    set_ = letter(name, SANS, COLUMN, 400, [4])
    assert "".join(" ".join(set_.lines).split()) == "".join(clean(name).split())


def test_too_long_a_name_ends_in_an_ellipsis():
    set_ = letter(LONGEST, SANS, COLUMN, 60, SIZES)
    assert set_.size == SIZES[-1]
    assert set_.lines[0].startswith("Night of the Day")
    assert set_.lines[-1].endswith("…")
    assert cut("Apichatpong, W", SANS, 78, 10) == "Apichatpong…"


def test_lines_are_as_even_as_they_can_be():
    assert letter("The Lord of the Rings", SANS, 150, 60, [20]).lines == (
        "The Lord of",
        "the Rings",
    )


def test_a_word_longer_than_a_line_is_broken_with_a_hyphen():
    set_ = letter("Donaudampfschifffahrtsgesellschaft", SANS, COLUMN, 128, SIZES)
    assert set_.lines == ("Donaudamp-", "fschifffa-", "hrtsgesel-", "lschaft")
    assert set_.size > 19


def test_what_is_read_from_right_to_left_begins_at_the_right():
    svg = poster_svg(title("المسيرة", "Drama"))
    [name] = [
        text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.text == "المسيرة"
    ]
    assert (name.get("x"), name.get("direction")) == (str(WIDTH - MARGIN), "rtl")
    assert 'direction="rtl"' not in poster_svg(title("Heat", "Drama"))


@pytest.mark.parametrize("genre", [*STYLES, ""])
def test_a_backdrop_is_the_motif_without_words(genre):
    svg = backdrop_svg(title("Heat", genre))
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 640 360"
    assert texts(svg) == []
    assert len(svg.encode()) < 6000


def test_what_follows_a_colon_is_smaller():
    svg = poster_svg(title("2001: A Space Odyssey", "Drama"))
    sizes = dict(zip(texts(svg), re.findall(r'<text [^>]*?y="[^"]*"([^>]*)>', svg), strict=True))
    size = {
        text: float(re.search(r'font-size="([^"]*)"', sizes[text])[1])
        for text in ("2001", "A Space Odyssey")
    }
    assert size["2001"] > 2 * size["A Space Odyssey"]


def test_markup_in_a_name_is_text():
    svg = poster_svg(title("<b>&amp; 'q' \"q\"</b>", "Comedy", director="<script>"))
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert "<b>&amp;" in " ".join(texts(svg))


def test_it_names_the_director_and_the_year():
    assert {"Sergio Leone", "1968"} <= set(texts(poster_svg(title(director="Sergio Leone"))))
    assert "None" not in poster_svg(title(year=None))


@pytest.mark.parametrize("genre", [*STYLES, ""])
def test_the_same_title_is_always_drawn_the_same(genre):
    assert poster_svg(title("Heat", genre)) == poster_svg(title("Heat", genre))


def test_titles_of_one_genre_differ():
    assert len({poster_svg(title("Heat", "Drama", external_id=f"{n}")) for n in range(40)}) > 25


def test_the_most_telling_genre_gives_the_look():
    assert genre_with_style(["Drama", "Comedy", "Western"]) == "western"
    assert genre_with_style(["Sci-Fi"]) == "science fiction"
    assert genre_with_style(["Gardening"]) == ""


def test_every_motif_is_used_and_every_name_of_one_is_known():
    used = {motif for style in [*STYLES.values(), DEFAULT] for motif in style.motifs}
    assert used == set(MOTIFS)


@pytest.mark.parametrize("genre", [*STYLES, "default"])
def test_letters_stand_out_from_their_ground(genre):
    for scheme in STYLES.get(genre, DEFAULT).schemes:
        light, dark = sorted(map(luminance, (scheme.ink, scheme.ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, scheme


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    shares = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_operators_poster_comes_first():
    assert poster_url(title(poster_url="https://example.org/heat.jpg")) == (
        "https://example.org/heat.jpg"
    )
    assert poster_url(title()).startswith("/posters/1.svg?v=")


def test_the_address_changes_with_what_is_drawn():
    told = [title(), title("Ran"), title(year=1969), title("Heat", "War"), title(external_id="t2")]
    assert len(set(map(poster_version, told))) == len(told)


def test_a_poster_costs_three_queries_and_names_its_director(
    client, films, django_assert_num_queries
):
    address = poster_url(films[0])
    with django_assert_num_queries(3):
        response = client.get(address)
    assert response["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in response.get("Vary", "")
    assert "Sergio Leone" in texts(response.content)
    again = client.get(address, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again["Cache-Control"]


def test_an_old_address_shows_the_new_drawing_for_a_short_while(client, films):
    response = client.get(f"/posters/{films[0].pk}.svg?v=old")
    assert response["Cache-Control"] == "public, max-age=300"


def test_a_new_director_is_a_new_drawing_at_the_same_address(client, films):
    before = client.get(poster_url(films[0]))
    films[0].credits.update(person=Person.objects.create(name="Akira Kurosawa"))
    after = client.get(poster_url(films[0]), headers={"If-None-Match": before["ETag"]})
    assert "Akira Kurosawa" in texts(after.content)


def test_an_unknown_title_has_no_poster(client, db):
    assert client.get("/posters/404.svg").status_code == 404


def test_directors_are_those_credited_so(films):
    [film] = Title.objects.filter(pk=films[0].pk).prefetch_related("genres", DIRECTORS)
    assert [credit.person.name for credit in film.director_credits] == ["Sergio Leone"]
