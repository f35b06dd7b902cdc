"""Drawn posters: always the same, always whole, whatever the name."""

import hashlib
import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.artwork.lettering import clean, truncate, typeset
from webapp.artwork.motifs import MOTIFS
from webapp.artwork.palettes import CAPS, DEFAULT, SANS, SERIF, STYLES, genre_with_style
from webapp.artwork.posters import (
    ART_VERSION,
    COLUMN,
    HEIGHT,
    MARGIN,
    SIZES,
    WIDTH,
    PosterSpec,
    backdrop_svg,
    poster_svg,
    poster_version,
)

SVG = "{http://www.w3.org/2000/svg}"
LONGEST = "Night of the Day of the Dawn of the Son of the Bride of the Return of the " * 4
NAMES = ["M", "It", "千と千尋の神隠し", "العربي: قصة طويلة جدا", "W" * 300, LONGEST, "🎬 " * 150]
any_text = st.text(max_size=300)
faces = pytest.mark.parametrize("face", [SANS, SERIF, CAPS], ids=["sans", "serif", "caps"])


def spec(name="Heat", *genres, external_id="t1", year=1968, director=""):
    return PosterSpec(external_id, name, year, genres, director)


def texts(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@faces
@given(name=any_text)
@example(name="")
@example(name="\x00\x1b\ufffe")
def test_any_name_is_set_within_its_box(face, name):
    block = typeset(name, face, COLUMN, 128, SIZES)
    assert block.lines
    assert all(face.width(line, block.size) <= COLUMN for line in block.lines)
    assert block.height <= 128


@given(name=any_text, director=any_text, genre=st.sampled_from([*STYLES, ""]), seed=st.text())
def test_any_title_is_drawn_as_whole_xml_inside_the_margins(name, director, genre, seed):
    svg = poster_svg(spec(name, genre, external_id=seed, director=director))
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        is_turned = text.get("x") == "0"
        assert is_turned or MARGIN <= float(text.attrib["y"]) <= HEIGHT - MARGIN


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("external_id", ["a", "b", "c", "d", "e", "f"])
def test_no_drawing_is_large(name, external_id):
    for genre in [*STYLES, ""]:
        svg = poster_svg(spec(name, genre, external_id=external_id, director=LONGEST))
        assert len(svg.encode()) < 4000, genre


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_short_name_is_written_out(name):
    block = typeset(name, SANS, COLUMN, 400, [4])
    assert "".join(" ".join(block.lines).split()) == "".join(clean(name).split())


def test_too_long_a_name_ends_in_an_ellipsis():
    block = typeset(LONGEST, SANS, COLUMN, 60, SIZES)
    assert block.size == SIZES[-1]
    assert block.lines[0].startswith("Night of the Day")
    assert block.lines[-1].endswith("…")
    assert truncate("Apichatpong, W", SANS, 78, 10) == "Apichatpong…"


def test_lines_are_as_even_as_they_can_be():
    assert typeset("The Lord of the Rings", SANS, 150, 60, [20]).lines == (
        "The Lord of",
        "the Rings",
    )


def test_a_word_longer_than_a_line_is_broken_with_a_hyphen():
    block = typeset("Donaudampfschifffahrtsgesellschaft", SANS, COLUMN, 128, SIZES)
    assert block.lines == ("Donaudamp-", "fschifffa-", "hrtsgesel-", "lschaft")
    assert block.size > 19


def test_what_is_read_from_right_to_left_begins_at_the_right():
    svg = poster_svg(spec("المسيرة", "Drama"))
    [name] = [
        text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.text == "المسيرة"
    ]
    assert (name.get("x"), name.get("direction")) == (str(WIDTH - MARGIN), "rtl")
    assert 'direction="rtl"' not in poster_svg(spec("Heat", "Drama"))


@pytest.mark.parametrize("genre", [*STYLES, ""])
def test_a_backdrop_is_the_motif_without_words(genre):
    svg = backdrop_svg(spec("Heat", genre))
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 640 360"
    assert texts(svg) == []
    assert len(svg.encode()) < 6000


def test_what_follows_a_colon_is_smaller():
    svg = poster_svg(spec("2001: A Space Odyssey", "Drama"))
    sizes = dict(zip(texts(svg), re.findall(r'<text [^>]*?y="[^"]*"([^>]*)>', svg), strict=True))
    size = {
        text: float(re.search(r'font-size="([^"]*)"', sizes[text])[1])
        for text in ("2001", "A Space Odyssey")
    }
    assert size["2001"] > 2 * size["A Space Odyssey"]


def test_markup_in_a_name_is_text():
    svg = poster_svg(spec("<b>&amp; 'q' \"q\"</b>", "Comedy", director="<script>"))
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert "<b>&amp;" in " ".join(texts(svg))


def test_it_names_the_director_and_the_year():
    assert {"Sergio Leone", "1968"} <= set(texts(poster_svg(spec(director="Sergio Leone"))))
    assert "None" not in poster_svg(spec(year=None))


@pytest.mark.parametrize("genre", [*STYLES, ""])
def test_the_same_title_is_always_drawn_the_same(genre):
    assert poster_svg(spec("Heat", genre)) == poster_svg(spec("Heat", genre))


def test_titles_of_one_genre_differ():
    assert len({poster_svg(spec("Heat", "Drama", external_id=f"{n}")) for n in range(40)}) > 25


def test_the_most_specific_genre_decides_the_style():
    assert genre_with_style(["Drama", "Comedy", "Western"]) == "western"
    assert genre_with_style(["Sci-Fi"]) == "science fiction"
    assert genre_with_style(["Gardening"]) == ""


def test_every_motif_is_used_and_every_name_of_one_is_known():
    used = {motif for style in [*STYLES.values(), DEFAULT] for motif in style.motifs}
    assert used == set(MOTIFS)


@pytest.mark.parametrize("genre", [*STYLES, "default"])
def test_text_stands_out_from_its_background(genre):
    for scheme in STYLES.get(genre, DEFAULT).schemes:
        light, dark = sorted(map(luminance, (scheme.text, scheme.background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, scheme


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    shares = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_version_changes_with_what_is_drawn():
    specs = [spec(), spec("Ran"), spec(year=1969), spec("Heat", "War"), spec(external_id="t2")]
    assert len(set(map(poster_version, specs))) == len(specs)
    assert poster_version(spec(director="Sergio Leone")) == poster_version(spec())


def test_a_changed_drawing_has_a_new_version():
    """If this fails, raise ART_VERSION, or browsers keep the old drawing for a year."""
    digest = hashlib.sha256()
    for genre in [*STYLES, ""]:
        for name in NAMES:
            for external_id in "abcdef":
                drawn = spec(name, genre, external_id=external_id, director="Sergio Leone")
                digest.update(poster_svg(drawn).encode())
                digest.update(backdrop_svg(drawn).encode())
    assert (ART_VERSION, digest.hexdigest()[:16]) == (4, "7d353a41dcf1124c")
