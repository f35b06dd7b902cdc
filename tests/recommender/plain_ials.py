"""iALS in plain numpy, one row at a time in double precision: slow, and easy to believe."""

import numpy as np


def losses(X, W, H, alpha, scale, nu):
    """Return L_S, L_I and R for weights X (U, I) of what was observed."""
    predicted = W @ H.T
    observed = float((X * (predicted - 1) ** 2).sum())
    unobserved = float(alpha * (predicted**2).sum())
    regularization = 0.0
    for rows, support in ((W, X.sum(1) + alpha * X.shape[1]), (H, X.sum(0) + alpha * X.shape[0])):
        regularization += float(scale * (support**nu * (rows**2).sum(1)).sum())
    return observed, unobserved, regularization


def exact_half_step(X, H, alpha, scale, nu):
    """Return the W that is best for H."""
    size = H.shape[1]
    W = np.zeros((len(X), size))
    for u, weights in enumerate(X):
        if not weights.any():
            continue
        penalty = scale * (weights.sum() + alpha * X.shape[1]) ** nu
        A = (H.T * weights) @ H + alpha * H.T @ H + penalty * np.eye(size)
        W[u] = np.linalg.solve(A, weights @ H)
    return W


def block_half_step(X, W, H, alpha, scale, nu, block_size):
    """Return W after one Newton step on each block of dimensions in turn."""
    W = W.copy()
    for u, weights in enumerate(X):
        if not weights.any():
            W[u] = 0
            continue
        penalty = scale * (weights.sum() + alpha * X.shape[1]) ** nu
        for first in range(0, H.shape[1], block_size):
            block = slice(first, first + block_size)
            part = H[:, block]
            gradient = part.T @ (weights * (H @ W[u] - 1)) + alpha * part.T @ H @ W[u]
            gradient += penalty * W[u, block]
            A = (part.T * weights) @ part + alpha * part.T @ part + penalty * np.eye(part.shape[1])
            W[u, block] -= np.linalg.solve(A, gradient)
    return W


def scale_from_reference(X, alpha, regularization, nu):
    """Return λ for λ* at ν* = 1."""
    supports = np.concatenate([X.sum(1) + alpha * X.shape[1], X.sum(0) + alpha * X.shape[0]])
    return regularization * supports.sum() / (supports**nu).sum()
