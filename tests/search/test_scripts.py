"""Titles in their own scripts are found, and not their neighbours that differ by a letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine import Document, SearchEngine
from search.index.meaning import terms_of
from search.query import Query, mistakes_in_name, mistakes_in_word
from search.retrieve import Band
from search.text import bigrams, fold, is_unspaced, words

SHELF = (
    ("Japanese", "千と千尋の神隠し", "千と千年の物語"),
    ("Japanese", "もののけ姫", "ものがたり姫"),
    ("Japanese, katakana", "スター・ウォーズ", "スタートレック"),
    ("Chinese, simplified", "卧虎藏龙", "卧虎降龙"),
    ("Chinese, traditional", "臥虎藏龍", "臥虎降龍"),
    ("Chinese beside Latin", "X战警", "X档案"),
    ("Korean", "기생충", "기생수"),
    ("Thai", "วิทยุ", "วิทยวิธี"),
    ("Khmer", "ភ្លើង", "ភ្លេង"),
    ("Lao", "ສະບາຍດີຫຼວງພະບາງ", "ສະບາຍຫຼວງພະບາງ"),
    ("Burmese", "မြန်မာ", "မြန်မြ"),
    ("Devanagari", "दल", "दिल"),
    ("Devanagari, words", "दंगल का राजा", "दगल का राजा"),
    ("Tamil", "நாயகன்", "நாயகி"),
    ("Bengali", "পথের পাঁচালী", "পথের দাবী"),
    ("Telugu", "బాహుబలి", "బాహుబలు"),
    ("Malayalam", "ദൃശ്യം", "ദൃശ്യ"),
    ("Sinhala", "ගම්පෙරළිය", "ගම්පෙරළි"),
    ("Arabic", "القاهرة", "القاهر"),
    ("Persian", "جدایی نادر", "جدایی ناصر"),
    ("Hebrew", "ואלס עם באשיר", "ואלס עם בשיר"),
    ("Cyrillic", "Ёлки", "Волки"),
    ("Greek", "Ο Θίασος", "Ο Θάνατος"),
    ("Armenian", "Նռան գույնը", "Նռան գինը"),
    ("Georgian", "მონანიება", "მონადირება"),
    ("Amharic", "ጤዛ", "ጤና"),
    ("Latin", "Amélie", "Amalia"),
)
"""Scripts, a name in each, and a name beside it that is another one."""
ENGINE = SearchEngine.build(
    Document(2 * n + wrong, name)
    for n, (_, *names) in enumerate(SHELF)
    for wrong, name in enumerate(names)
)
AS_TYPED = (Band.WRITTEN, Band.EXACT)
NAMES = dict(zip(ENGINE.document_ids.tolist(), ENGINE._document_names, strict=True))


def found(text: str) -> list[str]:
    return [NAMES[hit.id] for hit in ENGINE.search(text).hits]


def exact(text: str) -> list[str]:
    return [NAMES[hit.id] for hit in ENGINE.search(text).hits if hit.band in AS_TYPED]


@pytest.mark.parametrize(("script", "name", "neighbour"), SHELF)
def test_a_name_is_found_first_and_its_neighbour_is_not_it(script, name, neighbour):
    for typed, other in ((name, neighbour), (neighbour, name)):
        hits = ENGINE.search(typed).hits
        assert NAMES[hits[0].id] == typed, script
        assert exact(typed) == [typed]
        assert other not in exact(typed)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("千尋", "千と千尋の神隠し"),
        ("神隠し", "千と千尋の神隠し"),
        ("の神", "千と千尋の神隠し"),
        ("隠", "千と千尋の神隠し"),
        ("千尋 神隠し", "千と千尋の神隠し"),
        ("と千尋の神隠し", "千と千尋の神隠し"),
        ("千と 千尋の神隠し", "千と千尋の神隠し"),
        ("け姫", "もののけ姫"),
        ("ウォーズ", "スター・ウォーズ"),
        ("スターウォーズ", "スター・ウォーズ"),
        ("ｽﾀｰ･ｳｫｰｽﾞ", "スター・ウォーズ"),
        ("藏龙", "卧虎藏龙"),
        ("虎藏", "卧虎藏龙"),
        ("藏龍", "臥虎藏龍"),
        ("战警", "X战警"),
        ("ｘ战警", "X战警"),
        ("기생ㅊ", "기생충"),
        ("기생추", "기생충"),
        ("ทยุ", "วิทยุ"),
        ("ດີຫຼວງ", "ສະບາຍດີຫຼວງພະບາງ"),
        ("দাবী", "পথের দাবী"),
        ("राजा दंगल", "दंगल का राजा"),
        ("القَاهِرَة", "القاهرة"),
        ("القـــاهرة", "القاهرة"),
        ("ﺍﻟﻘﺎﻫﺮﺓ", "القاهرة"),
        ("جدايي نادر", "جدایی نادر"),
        ("וַאלְס עִם בָּאשִׁיר", "ואלס עם באשיר"),
        ("\u200fואלס\u200f עם באש", "ואלס עם באשיר"),
        ("елки", "Ёлки"),
        ("θιασος", "Ο Θίασος"),
        ("amelie", "Amélie"),
    ],
)
def test_a_part_or_another_spelling_finds_the_name_first(typed, name):
    assert found(typed)[0] == name


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("千尋", "千と千年の物語"),
        ("藏龙", "卧虎降龙"),
        ("दल", "दिल"),
        ("दिल", "दल"),
        ("நாயகி", "நாயகன்"),
        ("ភ្លើង", "ភ្លេង"),
        ("ጤዛ", "ጤና"),
        ("战警", "X档案"),
        ("千神", "千と千尋の神隠し"),
    ],
)
def test_a_neighbour_is_not_found_by_what_it_does_not_hold(typed, wrong):
    assert wrong not in found(typed)


def test_a_beginning_without_its_vowel_is_begun_and_not_exact():
    assert set(found("วิทย")) == {"วิทยุ", "วิทยวิธี"}
    assert exact("วิทย") == []


def test_what_is_not_side_by_side_is_not_a_run():
    """Each two letters of 東京都 stand in 東京と京都, the three do not."""
    engine = SearchEngine.build([Document(0, "東京と京都"), Document(1, "東京都")])
    assert [hit.id for hit in engine.search("東京都").hits] == [1]
    assert {hit.id for hit in engine.search("京都").hits} == {0, 1}


def test_a_long_run_is_found_by_a_long_part_of_it():
    name = "ある朝目を覚ますと世界が終わっていた話をしよう"
    engine = SearchEngine.build([Document(0, name), Document(1, name[:12] + "猫" + name[12:])])
    part = name[1:-1]
    assert [hit.id for hit in engine.search(part).hits] == [0]


def test_people_are_found_by_the_name_of_their_family():
    films = [Document(n, f"film {n}", people=("宮崎駿",)) for n in range(6)]
    engine = SearchEngine.build([*films, Document(6, "other", people=("高畑勲",))])
    result = engine.search("宮崎")
    assert result.people == ("宮崎駿",)
    assert {hit.id for hit in result.hits} == set(range(6))


def test_plots_without_blanks_are_near_by_what_they_share():
    engine = SearchEngine.build([
        Document(0, "A", plot="少女が不思議な湯屋で働く"),
        Document(1, "B", plot="刑事が事件を追う"),
        Document(2, "C", plot="少年が海へ行く"),
    ])  # fmt: skip
    assert engine.search("湯屋で働く少女").near[0].id == 0


def test_digits_of_every_script_are_digits():
    assert fold("३ इडियट्स") == "3 इडियट्स"
    assert fold("٧") == fold("７") == "7"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("दंगल", ["दंगल"]),
        ("बाहुबली", ["बाहुबली"]),
        ("千と千尋2", ["千と千尋", "2"]),
        ("ガメラ", ["ガメラ"]),
        ("ภาค๒", ["ภาค", "2"]),
        ("می‌خواهم", ["ميخواهم"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("Việt Nam", ["viet", "nam"]),
        ("й ё", ["и", "е"]),
        ("ά", ["α"]),
        ("◌́", []),
    ],
)
def test_marks_fall_where_they_are_accents_and_stay_where_they_are_letters(text, found):
    assert words(text) == found


@pytest.mark.parametrize(
    ("name", "in_name", "in_word"),
    [
        ("alien", 1, 1),
        ("gladiator", 2, 2),
        ("волки", 1, 1),
        ("दल", 0, 0),
        ("बाहुबली", 1, 1),
        ("もののけ", 1, 0),
        ("もののけ姫", 1, 0),
        ("卧虎藏龙", 0, 0),
        ("千と千尋の神隠し", 1, 0),
        ("วิทยุ", 0, 0),
    ],
)
def test_scripts_whose_letters_say_more_forgive_less(name, in_name, in_word):
    assert mistakes_in_name(fold(name)) == in_name
    assert mistakes_in_word(fold(name)) == in_word


def test_a_long_name_of_ideographs_forgives_one():
    assert found("千と千尋の神陰し")[:1] == ["千と千尋の神隠し"]
    assert ENGINE.search("千と千尋の神陰し").corrected == "千と千尋の神隠し"


@given(st.text(st.sampled_from("千尋のสัดีกខ្មែរမြ"), min_size=1, max_size=24))
def test_every_run_is_found_by_every_part_of_it(name):
    runs = [word for word in words(name) if is_unspaced(word)]
    engine = SearchEngine.build([Document(0, name)])
    for run in runs:
        for part in (run, *bigrams(run)):
            assert engine.search(part).hits, (name, part)


def test_a_query_of_a_run_is_one_word():
    assert Query.parse("千尋の神隠し").words == ("千尋の神隠し",)
    assert terms_of("千尋の") == ["千尋", "尋の"]
    assert terms_of("神") == ["神"]
