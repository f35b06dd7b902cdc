"""The bar above a list of titles: facets with counts, what is chosen as chips, and the order.

Every choice is a link, so that it works without script, and its address holds all that is chosen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.http import urlencode

from search.facets import Facet, FacetCount, FacetValue
from webapp.discovery.selection import Selection, Sort
from webapp.engine.wording import FACET_NAMES, SORT_NAMES, facet_label

REPLACED = frozenset({Facet.AGE, Facet.KIND, Facet.SEEN})
"""Facets of which another value takes the place of the one chosen; of others it is added."""
LISTED_BY = "Recommended"
"""The usual order of a list that nothing was typed for."""


@dataclass(frozen=True)
class Choice:
    """A link that changes what is listed.

    Attributes:
        words: what it chooses.
        address: where it leads, from the page that it is on.
        is_chosen: whether it is chosen now, so that the link takes it away.
        count: how many titles have it, of those that are as otherwise chosen; None for an order.
    """

    words: str
    address: str
    is_chosen: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Menu:
    name: str
    choices: list[Choice]


@dataclass(frozen=True)
class Narrowing:
    """What the bar shows, and the addresses of the same list.

    Attributes:
        menus: one for each facet that would narrow the list.
        sorts: the orders; none where there is nothing to sort.
        sorted_by: the one of now.
        chips: what is chosen, each a link to the list without it.
        address_without_all: the list with nothing chosen.
        suffix: what is chosen, for addresses that go on with it behind parameters of their own.
        page_address: the list's pages; a page's number follows.
    """

    menus: list[Menu]
    sorts: list[Choice]
    sorted_by: str
    chips: list[Choice]
    address_without_all: str
    suffix: str
    page_address: str


def selection_of(request: HttpRequest) -> Selection:
    """Return what an address chooses.

    Raises:
        FacetError: it names something that cannot be chosen.
    """
    return Selection.parse(dict(request.GET.lists()))


def page_number(request: HttpRequest) -> int:
    """Return the `page` parameter, 1 if it is no number."""
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def page_of(total: int, size: int, number: int) -> "Page[int]":
    """Return a page of so many titles; one past the last is the last."""
    return Paginator(range(total), size).get_page(number)


def narrowing_of(
    facets: Sequence[FacetCount], selection: Selection, total: int, text: str | None = None
) -> Narrowing:
    """Return the bar of a list.

    Args:
        facets: the counts.
        selection: what is chosen.
        total: how many titles are listed.
        text: what was searched for; None on lists of another kind.
    """
    chosen = tuple(each.value for each in facets if each.is_chosen)
    base = [] if text is None else [("q", text)]
    selection = Selection(chosen, selection.sort)
    links = _Links(base, selection)
    by_facet = {facet: [each for each in facets if each.value.facet == facet] for facet in Facet}
    usual = SORT_NAMES[Sort.MATCH] if text is not None else LISTED_BY
    names = {**SORT_NAMES, Sort.MATCH: usual}
    is_sorted = selection.sort is not Sort.MATCH
    parameters = selection.parameters()
    return Narrowing(
        [
            Menu(FACET_NAMES[facet], [links.choice(each) for each in counts])
            for facet, counts in by_facet.items()
            if counts
        ],
        [links.sort(sort, names[sort]) for sort in Sort] if total > 1 or is_sorted else [],
        names[selection.sort],
        [links.choice(each) for each in facets if each.is_chosen],
        links.address(()),
        f"&{urlencode(parameters)}" if parameters else "",
        f"?{urlencode([*base, *parameters, ('page', '')])}",
    )


class _Links:
    """Links from a list to itself, narrowed or sorted otherwise."""

    def __init__(self, base: Sequence[tuple[str, str]], selection: Selection) -> None:
        """Take what is chosen now.

        Args:
            base: the parameters of any of them.
            selection: what is chosen now.
        """
        self.selection = selection
        self._base = urlencode(base)
        self._chosen = {each: _encoded(each) for each in selection.chosen}

    def address(self, chosen: Iterable[FacetValue], sort: Sort | None = None) -> str:
        """Return the address of the list as chosen."""
        sort = sort or self.selection.sort
        parts = [self._base, *(self._chosen.get(each) or _encoded(each) for each in chosen)]
        parts += [] if sort is Sort.MATCH else [f"sort={sort.value}"]
        return "?" + "&".join(filter(None, parts))

    def sort(self, sort: Sort, name: str) -> Choice:
        """Return the link to another order."""
        address = self.address(self.selection.chosen, sort)
        return Choice(name, address, sort is self.selection.sort)

    def choice(self, of: FacetCount) -> Choice:
        """Return the link that chooses a value, or takes away one that is chosen."""
        left = [each for each in self.selection.chosen if each != of.value]
        if not of.is_chosen:
            if of.value.facet in REPLACED:
                left = [each for each in left if each.facet != of.value.facet]
            left.append(of.value)
        return Choice(facet_label(of.value), self.address(left), of.is_chosen, of.count)


def _encoded(value: FacetValue) -> str:
    return urlencode([(value.facet.value, value.value)])
