"""Numeric kernels below the models: Newton steps, Gram matrices and subspace iteration."""
