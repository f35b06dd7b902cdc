"""What people say for genres, countries, roles and the like, folded; data, not code."""

SYNONYMS = (
    ("sci fi", "scifi", "science fiction", "sf", "sciencefiction"),
    ("romance", "romantic", "love story", "love stories", "romances"),
    ("comedy", "comedies", "funny", "comic", "comedic", "hilarious"),
    ("documentary", "documentaries", "docu", "docus", "docs", "non fiction"),
    ("animation", "animated", "cartoon", "cartoons", "animations"),
    ("children", "childrens", "kids", "family"),
    ("horror", "scary", "horrors", "frightening"),
    ("musical", "musicals", "music"),
    ("film noir", "noir", "film noirs"),
    ("crime", "gangster", "mafia", "mob", "heist"),
    ("biography", "biographical", "biopic", "biopics"),
    ("history", "historical", "period piece", "period pieces", "costume drama", "costume dramas"),
    ("mystery", "mysteries", "whodunit", "whodunits", "detective"),
    ("fantasy", "fantasies", "fairy tale", "fairy tales"),
    ("thriller", "thrillers", "suspense", "suspenseful", "thrilling"),
    ("drama", "dramas", "dramatic", "sad", "tearjerker", "tearjerkers"),
    ("western", "westerns", "cowboy", "spaghetti western", "spaghetti westerns"),
    ("war", "wartime", "war time", "world war"),
    ("sport", "sports"),
    ("adventure", "adventures"),
    ("action", "action packed"),
)
"""Words for one genre; which of them a catalogue uses does not matter."""
COMBINED = {
    "romcom": ("romance", "comedy"), "romcoms": ("romance", "comedy"),
    "rom com": ("romance", "comedy"), "rom coms": ("romance", "comedy"),
    "dramedy": ("drama", "comedy"), "dramedies": ("drama", "comedy"),
    "romantic comedy": ("romance", "comedy"), "romantic comedies": ("romance", "comedy"),
    "anime": ("animation", "japanese"), "bollywood": ("hindi",),
}  # fmt: skip
"""Words that name several things at once."""
DEMONYMS = {
    "american": ("united states", "usa"), "british": ("united kingdom", "uk"),
    "english": ("united kingdom", "uk"), "french": ("france",), "german": ("germany",
    "west germany"),
    "italian": ("italy",), "spanish": ("spain",), "japanese": ("japan",),
    "korean": ("south korea", "korea"), "south korean": ("south korea",),
    "chinese": ("china", "peoples republic of china"), "indian": ("india",),
    "australian": ("australia",), "canadian": ("canada",), "swedish": ("sweden",),
    "danish": ("denmark",), "norwegian": ("norway",), "finnish": ("finland",),
    "dutch": ("netherlands",), "belgian": ("belgium",), "russian": ("russia", "soviet union"),
    "soviet": ("soviet union",), "polish": ("poland",), "czech": ("czech republic",
    "czechoslovakia"),
    "hungarian": ("hungary",), "romanian": ("romania",), "greek": ("greece",),
    "turkish": ("turkey",), "iranian": ("iran",), "israeli": ("israel",), "irish": ("ireland",),
    "mexican": ("mexico",), "brazilian": ("brazil",), "argentine": ("argentina",),
    "argentinian": ("argentina",), "austrian": ("austria",), "swiss": ("switzerland",),
    "portuguese": ("portugal",), "thai": ("thailand",), "taiwanese": ("taiwan",),
    "icelandic": ("iceland",), "egyptian": ("egypt",), "chilean": ("chile",),
    "usa": ("united states", "usa"), "america": ("united states", "usa"),
    "uk": ("united kingdom", "uk"), "britain": ("united kingdom", "uk"),
    "england": ("united kingdom", "uk"),
}  # fmt: skip
"""Countries by who or what is from there; a catalogue may use either name."""
PEOPLE_LANGUAGES = {"indian": ("hindi",), "chinese": ("mandarin", "cantonese", "standard chinese")}
NEGATIONS = frozenset({"no", "not", "without", "non", "except", "but", "isnt", "excluding"})
BEFORE_DIRECTORS = (
    ("directed", "by"), ("director",), ("directed",), ("made", "by"), ("films", "by"),
    ("movies", "by"), ("film", "by"), ("movie", "by"), ("film", "of"), ("films", "of"),
    ("filmmaker",),
)  # fmt: skip
BEFORE_ACTORS = (
    ("starring",), ("stars",), ("starred",), ("featuring",), ("features",), ("with",),
    ("played", "by"),
    ("actor",), ("actress",), ("stared",), ("staring",),
)  # fmt: skip
BEFORE_PEOPLE = frozenset({"by", "with", "starring", "featuring", "from", "directed", "director"})
CONNECTIVES = BEFORE_PEOPLE | {"in", "of", "the", "a", "an", "any", "and", "or", "to", "s"}
FILM_WORDS = frozenset(
    {"film", "films", "movie", "movies", "flick", "flicks", "picture", "pictures", "feature"}
)
SERIES_WORDS = frozenset({"series", "show", "shows", "tv", "serial", "serials", "miniseries"})
EXTRA_WORDS = frozenset({"full", "watch", "online", "free", "hd", "stream", "streaming", "trailer"})
FILLERS = CONNECTIVES | FILM_WORDS | SERIES_WORDS | EXTRA_WORDS | {
    "something", "anything", "some", "language", "genre", "about", "set", "made", "released",
    "year", "years", "more", "titles", "what", "which", "who", "whose", "are", "is", "was", "were",
    "there", "that", "this", "these", "those", "i", "im", "m", "am", "me", "my", "we", "us",
    "thinking", "looking", "for", "want", "wanna", "would", "like", "see", "find", "show", "give",
    "recommend", "please", "can", "you", "good", "great", "best", "top", "famous", "popular",
    "name",
    "list", "all", "it", "its", "on", "at", "be", "out", "came", "come", "comes", "directed",
    "cast",
    "actor", "actress", "actors", "director", "directors", "starring", "stars", "starred", "kind",
    "era", "time", "ever", "tell", "do", "does", "did", "know", "new", "really", "very", "nice",
    "classic", "old", "where", "and", "as", "both", "also", "has", "have", "had", "been", "his",
    "her",
}  # fmt: skip
"""Words that say nothing where something was understood beside them."""
LIKE = (
    ("similar", "to"),
    ("something", "like"),
    ("more", "like"),
    ("like",),
    ("reminiscent", "of"),
)
BEFORE_LIKE = (
    FILM_WORDS | SERIES_WORDS | {"something", "anything", "more", "stuff", "ones", "titles", "much"}
)
"""Before "like", where it is no verb."""
FOR_CHILDREN = (
    ("for", "kids"), ("for", "children"), ("for", "the", "kids"), ("for", "my", "kids"),
    ("for", "young", "children"), ("for", "little", "kids"), ("family", "friendly"),
    ("for", "the", "whole", "family"), ("for", "the", "family"), ("for", "families"),
    ("kid", "friendly"), ("child", "friendly"), ("for", "toddlers"), ("kids", "movie"),
    ("kids", "movies"), ("kids", "film"), ("kids", "films"), ("childrens", "movie"),
    ("childrens", "movies"), ("childrens", "film"), ("childrens", "films"), ("children", "s"),
)  # fmt: skip
AGE_FOR_CHILDREN = 6
CHILDRENS_GENRES = ("family", "children", "animation", "animated")
