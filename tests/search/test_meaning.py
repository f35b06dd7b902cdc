"""What lies near in meaning: by plot, by what was chosen, by the space of items."""

import numpy as np
import pytest

from search.engine import Document, SearchEngine

ROBOTS = "A robot and a spaceship far from earth, robots against their makers"
FARM = "A farmer and his dog in the village, cows, harvest and a quiet summer"
COURT = "A lawyer, a judge and a jury in a courtroom, a verdict"
FILMS = [
    *((f"Metal {n}", ROBOTS, "Sci-Fi") for n in ("One", "Dawn", "Fall", "Moon", "Rust")),
    *((f"Meadow {n}", FARM, "Drama") for n in ("Song", "Rain", "Gate", "Lark", "Hay")),
    *((f"Oath {n}", COURT, "Crime") for n in ("Bound", "Sworn", "Taken", "Kept", "Broken")),
]


def shelf(**changes):
    documents = []
    for n, (name, plot, genre) in enumerate(FILMS):
        documents.append(
            Document(n, name, plot=plot, genres=(genre,), **changes.get(name.replace(" ", ""), {}))
        )
    return SearchEngine.build(documents)


def near(engine, text):
    return [FILMS[hit.id][0].split()[0] for hit in engine.search(text).near]


@pytest.mark.parametrize(
    ("text", "first"),
    [("space robots", "Metal"), ("quiet summer village", "Meadow"), ("courtroom verdict", "Oath")],
)
def test_words_of_plots_find_what_is_meant_untrained(text, first):
    found = near(shelf(), text)
    assert found[:5] == [first] * 5


def test_a_mistake_in_a_word_of_a_plot_is_forgiven():
    assert near(shelf(), "courtroom verdcit")[:5] == ["Oath"] * 5


def test_what_was_chosen_after_a_text_stands_near_it_and_what_is_alike_does_too():
    engine = shelf(MetalRust={"chosen_after": (("zorblax", 4),)})
    assert [FILMS[hit.id][0] for hit in engine.search("zorblax").near][:1] == ["Metal Rust"]
    assert near(engine, "zorblax")[:5] == ["Metal"] * 5
    assert shelf().search("zorblax").near == ()


def test_the_space_of_items_brings_in_what_the_same_people_like():
    vectors = np.zeros((len(FILMS), 2), dtype=np.float32)
    vectors[:5, 0] = vectors[10:, 0] = 1.0  # who likes robots likes courts
    vectors[5:10, 1] = 1.0
    plain, with_space = shelf(), shelf().with_space(vectors)
    assert near(with_space, "space robots")[:5] == ["Metal"] * 5
    assert near(with_space, "space robots")[5:10] == ["Oath"] * 5
    assert near(plain, "space robots")[5:10] != ["Oath"] * 5


def test_choices_order_what_matches_equally_well():
    engine = shelf(MetalMoon={"chosen_after": (("metal", 9),)})
    assert FILMS[engine.search("metal").hits[0].id][0] == "Metal Moon"
    assert engine.search("metal").hits[0].parts["chosen"] > 0
    assert FILMS[shelf().search("metal").hits[0].id][0] == "Metal One"


def test_where_the_name_holds_what_was_typed_nothing_near_is_asked():
    assert shelf().search("metal").near == ()
