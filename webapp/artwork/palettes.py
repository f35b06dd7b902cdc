"""Poster styles by genre: typeface, motifs and colour schemes."""

from collections.abc import Iterable
from dataclasses import dataclass

from webapp.artwork.lettering import Face

SANS = Face("'Avenir Next','Helvetica Neue',Arial,sans-serif", 800, 1.0)
SERIF = Face("'Iowan Old Style',Palatino,'Times New Roman',serif", 700, 0.88)
CAPS = Face(
    "'Avenir Next Condensed','Arial Narrow','Liberation Sans Narrow',sans-serif-condensed,"
    "sans-serif",
    700,
    0.83,
    is_caps=True,
)


@dataclass(frozen=True)
class Scheme:
    """Four colours as `#rrggbb`: background, text, and the motif's primary and secondary colour."""

    background: str
    text: str
    primary: str
    secondary: str


@dataclass(frozen=True)
class Style:
    """A genre's poster style. Motifs are names of functions in `webapp.artwork.motifs`."""

    face: Face
    motifs: tuple[str, ...]
    schemes: tuple[Scheme, ...]


def _style(face: Face, motifs: str, *schemes: str) -> Style:
    return Style(
        face,
        tuple(motifs.split()),
        tuple(Scheme(*(f"#{colour}" for colour in scheme.split())) for scheme in schemes),
    )


STYLES = {
    "western": _style(
        CAPS, "mesas sliced_sun star",
        "3a1f14 f7e3bd e39a3b b5491f", "e8c98a 3b1d10 c2521e 8a3215", "7d3517 fbe6c0 f0b04f 4a1d10",
    ),
    "animation": _style(
        SANS, "tiles rainbow balls",
        "2456c8 ffffff ffd23f ff6b4a", "ffcf3f 1d2a5b e8435a 2f7fd1", "0b6e78 ffffff ffb02e f2628f",
    ),
    "documentary": _style(
        SANS, "halftone contours lens",
        "f1efe8 1c2322 d6452b 8fa39a", "15302c f1f8ef a9d6a0 3c6e60", "222628 f3f3ee f0c239 566067",
    ),
    "horror": _style(
        SERIF, "trees claws doorway",
        "0a0708 f3e8e4 b3151f 3d0d12", "161014 efe6dd d9d0c0 6e1218", "7a0f17 fff0ea 120809 c22a28",
    ),
    "film-noir": _style(
        SERIF, "blinds lamp skyline",
        "111214 eeeeea c9c9c4 4a4c50", "d9d7d0 121315 3a3b3e 8d8c87", "1d1f22 f2efe6 e2c98f 50535a",
    ),
    "science fiction": _style(
        SANS, "planet orbits horizon_grid",
        "07162b e6fbff 4fd1cf 17527a", "0c2f3a eafcf6 f2a65a 1f6f78", "101236 ecebff 7f9cff e0567a",
    ),
    "war": _style(
        CAPS, "chevrons ranks rays",
        "24281c f2ecd8 c9a95c 5d6340", "cbbf9a 25261a 8c2f1d 6b6a45", "33241c f5e9d6 d9652f 6b4e3a",
    ),
    "music": _style(
        SANS, "vinyl equalizer waves",
        "2b1040 fff0fb f178b6 7a2f8f", "111018 fbf3e6 f2b632 b3345f", "f5d9df 3b1145 d6336c 7b4bb0",
    ),
    "fantasy": _style(
        SERIF, "phases peaks starburst",
        "1a1440 f5f0ff c9a7ff 5a3da6", "123a3f effaf0 9fe0bd 2d7a74", "3a1038 fff0f5 f3b562 8a2f72",
    ),
    "mystery": _style(
        SERIF, "keyhole nested eye",
        "171334 f2eeff b49be8 4a3f86", "0f2a2e ecf5ef d8b45c 2f6561", "cdc3dd 221a44 5b3f9e 8f80bd",
    ),
    "crime": _style(
        CAPS, "blinds skyline ripples",
        "14161b f1ece0 c79a45 39404d", "20242b f4f1ea d4483b 59616e", "d8d2c4 17181c a8281e 6d6a63",
    ),
    "thriller": _style(
        CAPS, "spiral stairs tunnel",
        "101b22 eef4f3 e0703c 24505c", "e06a2c 1a120d 2b1710 fbe3c4", "1b1d2a f0f0f4 d83a4b 44506e",
    ),
    "history": _style(
        SERIF, "columns steps arch",
        "2d1c13 f9eed8 d3a357 7a5132", "e7dcc3 35241a 9c4a26 b99257", "1c2b39 f5ecd9 cfa863 44617a",
    ),
    "adventure": _style(
        SANS, "peaks sea compass",
        "0f3d35 fbf7e4 f0bd4f 2f8062", "14405e f6f6ea f2a33c 3b83a0", "efe0b9 1f3b36 d2622a 5d9a86",
    ),
    "action": _style(
        CAPS, "slashes rays target",
        "17110f fff3e8 f26a2a 8c2416", "a92219 fff4ea 160c0a f29b3f", "1b2530 f6f4ee f6c431 4d6072",
    ),
    "romance": _style(
        SERIF, "pair petals sea",
        "f3d6cf 5a1630 c9415f e9928f", "4d1230 ffe9e6 f08a96 a32f58", "9c2b48 fff1ec f7c1a8 6d1838",
    ),
    "family": _style(
        SANS, "hills rainbow balls",
        "24566b fdf8e8 f4c95d 6fb58a", "f3ead2 23433a e2803c 5a9f86", "335c36 fffbe8 f6d365 8dbb7c",
    ),
    "sport": _style(
        CAPS, "lanes slashes target",
        "123c69 f7f7f0 f3c13a 2c77a8", "1f5b37 fbfbee f4f0d0 5fa060", "ecebe4 17253a d6402b 4a79a6",
    ),
    "comedy": _style(
        SANS, "tiles smiles odd_one",
        "f4c542 2a1c10 d9482b fff1cf", "c8431f fff6e4 ffd25a 8a2615", "f6efe0 26323a 2a9d8f e9a23b",
        "1f5e5b fff6df f6b93b e8684a",
    ),
    "drama": _style(
        SERIF, "window reflection fields curtain stairs",
        "1f2a36 f5f0e6 d9a066 4c6379", "e6ded1 26272b b5553b 8d99a0", "3a2a2e f8ede6 d88c72 7d4f55",
        "2d3b36 f3f2e6 c9c08a 5f7f70", "7f3b2e fdf0e2 f0bd8a 4d1f1b",
    ),
}  # fmt: skip
"""Style by genre, most specific genre first: a title takes the first that is among its genres."""
ALIASES = {
    "sci-fi": "science fiction",
    "musical": "music",
    "children": "family",
    "children's": "family",
    "biography": "history",
    "noir": "film-noir",
}
DEFAULT = _style(
    SANS, "fields reflection ripples nested",
    "1c2029 f5f6fa aab4c8 4c576b", "e3e5ea 1d2129 59667d a3adbd", "2a2433 f6f2fa c7b5dd 625475",
)  # fmt: skip


def genre_with_style(names: Iterable[str]) -> str:
    """Return the genre that decides the poster's style; empty if none has a style of its own."""
    genres = {ALIASES.get(name.casefold(), name.casefold()) for name in names}
    return next((genre for genre in STYLES if genre in genres), "")
