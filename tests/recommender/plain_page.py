"""The first page of a visit, slowly and in plain Python: the twin of `build_page`.

It knows no visit, no spotlight and no exploration slot. Each step looks at every row and title
anew, where the page builder keeps what it knows in arrays.
"""

from math import log2

import numpy as np

from recommender.ranking.page import POOL, SAME_KIND
from recommender.ranking.row_kinds import row_kind


def plain_page(candidates, excluded, config, utility):
    """Return [(kind, key), items] of each row shown, for the arguments of `build_page`."""
    return _PlainPage(excluded, config, utility).rows_of(candidates)


class _PlainPage:
    def __init__(self, excluded, config, utility):
        self.excluded = {n for n, is_out in enumerate(excluded) if is_out}
        self.config = config
        self.worth = utility.values(np.arange(len(utility.vectors))).tolist()
        self.vectors = utility.vectors.tolist()
        self.rows = []  # (candidate, items), from the top
        self.compared = set()  # titles that lose by likeness: those near enough to a row's top

    def rows_of(self, candidates):
        pool = POOL * self.config.row_size
        self.compared = {item for row in candidates for item in row.items[:pool].tolist()}
        free = [row for row in candidates if len(row.items)]
        while free and self.is_kept(free[0]):
            self.place(free.pop(0))
        kept = [row for row in free if self.is_kept(row) and self.allowed(row)]
        kept = kept if self.config.kept_within else []
        shown = max(self.config.max_rows, len(self.rows) + len(kept))
        while free and len(self.rows) < max(shown, self.config.head_rows):
            room_above = min(self.config.kept_within, shown) - len(self.rows)
            if kept and room_above <= len(kept):
                best = kept.pop(0)
            else:
                best = max(free, key=self.value)
                if self.value(best) < 0:
                    break
                kept = [row for row in kept if row is not best]
            free = [row for row in free if row is not best]
            self.place(best)
            if len(self.rows) == self.config.head_rows:
                self.fill_tails(shown)
        self.fill_tails(shown)
        return [((row.kind, row.key), items) for row, items in self.rows[:shown]]

    def is_kept(self, row):
        return row_kind(row.kind).is_kept_by_viewer

    def is_chart(self, row):
        return row_kind(row.kind).may_repeat

    def fewest(self, row):
        return 1 if self.is_kept(row) else self.config.min_row_size

    def place(self, row):
        items = self.allowed(row)
        if len(items) < self.fewest(row):
            return
        size = self.config.row_size
        waits = not (self.is_kept(row) or self.is_chart(row))
        if waits and len(self.rows) < self.config.head_rows:
            least = (self.config.fold_slots, self.config.exploration_slot + 1)
            size = min(size, max(*least, self.config.min_row_size))
        self.rows.append((row, self.varied(row, items, size)))

    def fill_tails(self, shown):
        """Fill rows up; those that are whole, or not shown, are left as they are."""
        for n, (row, items) in enumerate(self.rows[: min(shown, self.config.head_rows)]):
            if not (self.is_kept(row) or self.is_chart(row)):
                rest = [item for item in self.allowed(row, n) if item not in items]
                room = self.config.row_size - len(items)
                self.rows[n] = row, items + self.varied(row, rest, room, items)

    def allowed(self, row, position=None):
        """The titles a row may show where it would stand, best first."""
        if self.is_kept(row):
            closed = set()
        else:
            closed = {
                item
                for other, items in self.rows
                if self.is_chart(other) == self.is_chart(row)
                for item in items
            }
            position = len(self.rows) if position is None else position
            if position < self.config.fold_rows:
                closed |= self.above_fold()
        return [item for item in row.items.tolist() if item not in closed | self.excluded]

    def above_fold(self):
        return {
            item
            for row, items in self.rows[: self.config.fold_rows]
            if not self.is_kept(row)
            for item in items[: self.config.fold_slots]
        }

    def value(self, row):
        items = self.allowed(row)
        if len(items) < self.fewest(row):
            return -1
        heads = [
            item
            for other, items_above in self.rows
            if not self.is_kept(other)
            for item in items_above[: self.config.fold_slots]
        ]
        discounts = [1 / log2(slot + 2) for slot in range(self.config.fold_slots)]
        promise = 0
        for item, discount in zip(items, discounts, strict=False):
            nearest = max((self.likeness(item, other) for other in heads), default=0)
            nearest = min(max(nearest, 0), 1) if item in self.compared else 0
            promise += discount * self.worth[item] * (1 - self.config.redundancy * nearest)
        same_kind = sum(other.kind == row.kind for other, _ in self.rows)
        return row_kind(row.kind).weight * SAME_KIND**same_kind * promise / sum(discounts)

    def varied(self, row, items, size, above=()):
        """Maximal marginal relevance, in rows whose order is not their content."""
        if row_kind(row.kind).keeps_order:
            return items[:size]
        share = self.config.relevance_share
        pool = items[: POOL * self.config.row_size]
        rank = {item: n for n, item in enumerate(pool)}
        chosen = []
        while len(chosen) < size and len(chosen) < len(pool):

            def gain(item):
                near = max((self.likeness(item, other) for other in [*above, *chosen]), default=0)
                return share * (1 - rank[item] / len(pool)) - (1 - share) * max(near, 0)

            chosen.append(max((item for item in pool if item not in chosen), key=gain))
        return chosen

    def likeness(self, first, second):
        return sum(a * b for a, b in zip(self.vectors[first], self.vectors[second], strict=True))
