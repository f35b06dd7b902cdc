"""Training examples of a click model: rows of field values with a label.

N examples, F fields, C of them categorical, R numeric.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import Bool, Float32, Int64
from recommender.errors import InvalidInputError


@dataclass(frozen=True)
class Field:
    """One column of the examples.

    Attributes:
        name: shown to people.
        num_values: how many values a categorical field has; 0 for a numeric one. Value 0 means
            unknown.
        is_growing: the values are outside ids, any whole numbers, that come and go.
    """

    name: str
    num_values: int = 0
    is_growing: bool = False

    def __post_init__(self) -> None:
        if self.num_values < 0:
            raise InvalidInputError(f"{self.name} cannot have {self.num_values} values")

    @property
    def is_numeric(self) -> bool:
        return not (self.num_values or self.is_growing)


@dataclass(frozen=True)
class Examples:
    """Examples over the same fields.

    Attributes:
        categories: (N, C) values of the categorical fields, in their order.
        numbers: (N, R) values of the numeric fields, in theirs.
        labels: (N,) 0 or 1.
    """

    categories: Int64
    numbers: Float32
    labels: Int64

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def joined(cls, parts: Sequence["Examples"]) -> "Examples":
        """Return all examples of the parts, which must be one or more."""
        return cls(
            np.concatenate([part.categories for part in parts]),
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )

    def __getitem__(self, rows: slice | Int64 | Bool) -> "Examples":
        """Return some of them."""
        return Examples(self.categories[rows], self.numbers[rows], self.labels[rows])

    def checked(self, fields: tuple[Field, ...]) -> "Examples":
        """Return them if they are of these fields.

        Raises:
            InvalidInputError: a shape, value or label is none of theirs; a number is not finite.
        """
        categorical = [field for field in fields if not field.is_numeric]
        shapes = (len(self), len(categorical)), (len(self), len(fields) - len(categorical))
        if (self.categories.shape, self.numbers.shape) != shapes:
            raise InvalidInputError(
                f"{len(self)} labels need categories {shapes[0]} and numbers {shapes[1]}, got "
                f"{self.categories.shape} and {self.numbers.shape}"
            )
        for column, field in enumerate(categorical):
            values = self.categories[:, column]
            if field.is_growing:
                continue
            if len(values) and not (values.min() >= 0 and values.max() < field.num_values):
                raise InvalidInputError(
                    f"{field.name} has the values 0 to {field.num_values - 1}, got "
                    f"{values.min()} to {values.max()}"
                )
        if not np.isfinite(self.numbers).all():
            raise InvalidInputError("every number must be finite: use 0 for unknown values")
        if len(self) and not (self.labels.min() >= 0 and self.labels.max() <= 1):
            raise InvalidInputError(
                f"labels must be 0 or 1, got {self.labels.min()} to {self.labels.max()}"
            )
        return self
