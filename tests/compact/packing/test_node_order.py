"""Depth first: nodes, leaves and what is counted of them, against a walk by recursion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.packing.node_order import depth_first, depths, inner_nodes
from tests.strategies import compact_models, tree_models


def walk(trees, node, nodes, leaves, depth=0):
    """Inner nodes below and with `node`, most of them on a way, sum of the leaves' depths."""
    if node < 0:
        leaves.append(~node)
        return 0, 0, depth
    at = len(nodes)
    nodes.append([node, 0])
    count, deep, total = walk(trees, int(trees.left[node]), nodes, leaves, depth + 1)
    nodes[at][1] = count
    more, deeper, rest = walk(trees, int(trees.right[node]), nodes, leaves, depth + 1)
    return count + more + 1, max(deep, deeper) + 1, total + rest


@given(tree_models())
def test_order_is_that_of_recursion(model):
    trees = model.table(TreeTable)
    order = depth_first(trees)
    nodes, leaves, sizes, deepest, steps = [], [], [], [], 0.0
    for root in trees.roots.tolist():
        before = len(leaves)
        size, deep, total = walk(trees, root, nodes, leaves)
        sizes.append(size)
        deepest.append(deep)
        steps += total / (len(leaves) - before)
    assert order.nodes.tolist() == [node for node, _ in nodes]
    assert order.left.tolist() == [left for _, left in nodes]
    assert order.leaves.tolist() == leaves
    assert order.sizes.tolist() == sizes
    assert deepest == depths(trees).tolist()
    assert order.steps == pytest.approx(steps)


@given(compact_models())
def test_what_is_shared_has_no_order(model):
    for trees in model.tables_of(TreeTable):
        uses = [*trees.roots.tolist(), *trees.left.tolist(), *trees.right.tolist()]
        assert (depth_first(trees) is None) == (len(set(uses)) < len(uses))
        count = inner_nodes(trees)
        for node in range(len(trees.left)):
            children = [int(trees.left[node]), int(trees.right[node])]
            assert count[node] == 1 + sum(int(count[c]) for c in children if c >= 0)


def test_a_hundred_thousand_nodes_in_a_row_need_no_recursion():
    N = 100_000
    node = np.arange(N)
    on = np.append(node[1:], ~N)
    zero = node * 0
    grid = InputGrid([0], [0, 1], np.float32([0]))
    trees = TreeTable(grid, [0], zero, zero, on, ~node, zero > 0, np.zeros((N + 1, 1)), 2)
    order = depth_first(trees)
    assert depths(trees).tolist() == [N]
    assert order.left[0] == N - 1
    assert order.leaves[:2].tolist() == [N, N - 1]


def doubling(n_nodes):
    """A tree whose nodes have the next node as both children: 2^n_nodes paths."""
    node = np.arange(n_nodes)
    left, right = np.append(node[1:], ~0), np.append(node[1:], ~1)
    grid, zero = InputGrid([0], [0, 1], np.float32([0])), 0 * node
    return TreeTable(grid, [0], zero, zero, left, right, zero > 0, [[-1], [1]], 8)


def test_sizes_of_shared_subtrees_do_not_wrap_around():
    count = inner_nodes(doubling(200))
    assert count[-3:].tolist() == [7, 3, 1]
    assert count[0] == 2**40
