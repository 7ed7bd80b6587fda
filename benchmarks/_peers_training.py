"""For budget.py: Adam and rounding for peers that are trained here."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

LEVELS = 127  # of 8 bits


class Adam:
    """Kingma & Ba 2015, with a rate that rises for the first 2 % of the steps and falls to 0."""

    def __init__(self, parameters: list[np.ndarray], rate: float, steps: int) -> None:
        self.mean = [np.zeros_like(each) for each in parameters]
        self.square = [np.zeros_like(each) for each in parameters]
        at = (np.arange(steps) + 1) / steps
        self.rates = rate * np.minimum(1, at / 0.02) * (1 + np.cos(np.pi * at)) / 2
        self.count = 0

    def step(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Change the parameters in place."""
        rate, self.count = self.rates[self.count], self.count + 1
        rate *= np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        for value, g, mean, square in zip(
            parameters, gradients, self.mean, self.square, strict=True
        ):
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            value -= np.float32(rate) * mean / (np.sqrt(square) + 1e-8)


def rounded(values: np.ndarray) -> np.ndarray:
    """To whole multiples of the step at which the largest is 127."""
    step = np.abs(values).max() / LEVELS
    return np.rint(values / step) * step if step > 0 else values


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Of a score a class, or of one score for two classes."""
    if scores.shape[1] == 1:
        P = expit(scores[:, 0])
        return np.column_stack([1 - P, P])
    return softmax(scores, axis=1)


def cross_entropy_gradient(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of the mean over the rows, by the scores."""
    if scores.shape[1] == 1:
        return (expit(scores) - y[:, None]).astype(np.float32) / len(y)
    g = softmax(scores, axis=1)
    g[np.arange(len(y)), y] -= 1
    return g / len(y)
