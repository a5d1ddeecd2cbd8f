"""Regression: the weights of a multinomial model that explain examples best, some of them open between classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PENALTY", "Floats", "Table", "descend"]

PENALTY = 0.05
"""The price of a squared weight, against one example."""
ROUNDS = 160

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """Examples as a sparse matrix, row by row."""

    rows: NDArray[np.int64]
    """Where each row begins."""
    row: NDArray[np.int64]
    """The row of each value."""
    column: NDArray[np.int64]
    """Of each value; the last column is the bias."""
    value: Floats
    fits: Floats
    """1 where a class is allowed, examples by classes."""


def descend(table: Table, size: int, bias: Floats, penalty: float = PENALTY, memory: int = 8) -> Floats:
    """The weights that explain the table best, by a quasi-Newton descent from a bias.

    One row for each of `size` columns, then one for the bias.
    """
    weights = np.zeros((size + 1, len(bias)))
    weights[size] = bias
    loss, slope = _loss(table, weights, penalty)
    past: list[tuple[Floats, Floats, float]] = []
    for _ in range(ROUNDS):
        way = -_newton(slope, past)
        pace = 1.0 if past else 1.0 / max(1.0, float(np.abs(slope).max()))
        while True:
            there = weights + pace * way
            new_loss, new_slope = _loss(table, there, penalty)
            if new_loss <= loss + 1e-4 * pace * float((slope * way).sum()) or pace < 1e-6:
                break
            pace /= 2
        moved, turned = there - weights, new_slope - slope
        curve = float((moved * turned).sum())
        if curve > 1e-10:
            past = [*past[-memory + 1 :], (moved, turned, 1 / curve)]
        done = loss - new_loss < 1e-6 * abs(loss)
        weights, loss, slope = there, new_loss, new_slope
        if done:
            break
    return weights


def _newton(slope: Floats, past: list[tuple[Floats, Floats, float]]) -> Floats:
    way = slope.copy()
    shares = []
    for moved, turned, rate in reversed(past):
        share = rate * float((moved * way).sum())
        shares.append(share)
        way -= share * turned
    if past:
        moved, turned, rate = past[-1]
        way /= rate * float((turned * turned).sum())
    for (moved, turned, rate), share in zip(past, reversed(shares), strict=True):
        way += (share - rate * float((turned * way).sum())) * moved
    return way


def _loss(table: Table, weights: Floats, penalty: float) -> tuple[float, Floats]:
    """How surprising the table is under the weights, and which way that grows."""
    logits = np.add.reduceat(weights[table.column] * table.value[:, None], table.rows, axis=0)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    allowed = odds * table.fits
    right = allowed.sum(axis=1, keepdims=True) + 1e-300
    error = odds - allowed / right
    slope = np.empty_like(weights)
    for each in range(weights.shape[1]):
        pull = error[table.row, each] * table.value
        slope[:, each] = np.bincount(table.column, pull, minlength=len(weights))
    slope[:-1] += penalty * weights[:-1]
    return -float(np.log(right).sum()) + penalty / 2 * float((weights[:-1] ** 2).sum()), slope
