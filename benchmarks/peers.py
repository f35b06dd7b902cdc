"""The libraries we are measured against, behind the same calls as our own models."""

import time
from collections.abc import Callable

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse


class ImplicitAls:
    """implicit's ALS: (1 + α) on what was observed, 1 on the rest."""

    def __init__(
        self,
        embedding_size: int,
        alpha: float,
        regularization: float,
        seed: int,
        num_threads: int,
        iterations: int = 15,
        use_cg: bool = True,
    ) -> None:
        self.model = AlternatingLeastSquares(
            factors=embedding_size,
            regularization=regularization,
            alpha=1.0,
            iterations=iterations,
            use_cg=use_cg,
            num_threads=num_threads,
            random_state=seed,
        )
        self.weight = 1.0 + alpha
        """The confidence of an observed cell."""

    def fit(
        self, matrix: sparse.csr_array, on_iteration: Callable[[int, float], None] | None = None
    ) -> "ImplicitAls":
        """Fit, telling after each iteration how many seconds went into fitting so far."""
        spent = 0.0
        began = time.perf_counter()

        def callback(iteration: int, elapsed: float, loss: float | None) -> None:
            nonlocal spent, began
            spent += time.perf_counter() - began
            self.model._YtY = None
            if on_iteration is not None:
                on_iteration(iteration + 1, spent)
            began = time.perf_counter()

        self.model.fit(self._confidence(matrix), show_progress=False, callback=callback)
        return self

    def score(self, histories: sparse.csr_array) -> np.ndarray:
        users = self.model.recalculate_user(
            np.arange(histories.shape[0]), self._confidence(histories)
        )
        return np.asarray(users @ self.model.item_factors.T)

    def _confidence(self, matrix: sparse.csr_array) -> sparse.csr_matrix:
        return sparse.csr_matrix(matrix, dtype=np.float32) * np.float32(self.weight)
