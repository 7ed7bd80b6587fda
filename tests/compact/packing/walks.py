"""A walk on the packed tables of a layout, which reads nothing else: an oracle of the packers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from skdistill.compact import LinearTable, evaluate
from skdistill.compact.packing.pack import choose_layout
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.threshold_codes import key
from skdistill.compact.tables import linear_table


class Tables:
    """A walk that reads the tables of a layout and single numbers, nothing of the model."""

    def __init__(self, laid):
        (self.trees,) = laid.parts_of(PackedTrees)
        self.laid = laid
        self.linear = next(iter(laid.model.tables_of(LinearTable)), None)
        packed = {n: t for n, t in laid.tables.items() if t.dtype == np.uint8}
        self.whole = {n: int.from_bytes(t.tobytes(), "little") for n, t in packed.items()}

    def bits(self, table, at, width):
        """`width` bits of a table from bit `at` on."""
        assert 0 <= at <= at + width <= 8 * self.laid.tables[table].nbytes
        return self.whole[table] >> at & ((1 << width) - 1)

    def read(self, x, number):
        """What a node compares of input `number`; None for NaN."""
        trees, codes = self.trees, self.trees.codes
        if codes.kind == "rounded":
            number = column = number
            x = x[self.linear.features]
        column = number if trees.columns is None else trees.columns[number]
        v = x[column]
        if v != v:
            return None
        if codes.kind == "rounded":
            q = linear_table.round_input(np.float32([v]), self.linear, slice(number, number + 1))
            return int(q[0]) + self.linear.q_max
        if codes.kind == "key":
            return int(key(np.float32([v]))[0])
        if codes.kind == "steps":
            if not np.isfinite(v):
                return int(np.sign(v)) * 2**70
            scaled = Fraction(float(v)) / Fraction(2) ** int(codes.exponent[number])
            return -(-scaled.numerator // scaled.denominator) - int(codes.origin[number])
        return v

    def goes_left(self, x, feature, threshold, nan):
        """Whether a node sends a row to the left."""
        trees = self.trees
        if trees.edges is not None:
            at = threshold + (0 if trees.bases is None else int(trees.bases[feature]))
            threshold = int(trees.edges[at])
        q = self.read(x, feature)
        return bool(nan) if q is None else q <= (threshold + trees.low) << trees.codes.drop

    def fields(self, node, widths):
        """The numbers of a node."""
        at, found = node * sum(widths), []
        for width in widths:
            found.append(self.bits("nodes", at, width) if width else 0)
            at += width
        return found

    def fused(self, x):
        """The label that a row reaches."""
        nan_bits, step, nodes, p = *self.trees.widths[2:], self.laid.tables["nodes"], 0
        while True:
            head, threshold, third = (int(b) for b in nodes[p : p + 3])
            nan = head >> 2 & 1 if nan_bits else 0
            if self.goes_left(x, head >> (2 + nan_bits), threshold, nan):
                if head & 1:
                    return third >> 4
                p += 3
            elif head & 2:
                return third & 15
            else:
                p += 3 if head & 1 else third * (1 if step == 3 else 3)

    def flagged(self, x, node):
        """The leaf that a row reaches in the tree that begins with `node`."""
        trees, table, leaf = self.trees, self.laid.tables["nodes"], 0
        f, _, n, link = trees.widths
        while True:
            if trees.bits == 24:
                head, threshold, left = (int(b) for b in table[3 * node : 3 * node + 3])
                nan, feature = head >> 2 & n, head >> (2 + n)
            else:
                head = word = int(table[node])
                nan, feature = word >> 2 & n, word >> (2 + n) & ((1 << f) - 1)
                left = word >> (2 + n + f) & ((1 << link) - 1)
                threshold = word >> (2 + n + link + f)
            own = inside = 0
            if self.trees.long_jumps and left == (1 << link) - 1:
                own, left, inside = 1, int(table[node + 1]) & 255, int(table[node + 1]) >> 8
            if self.goes_left(x, feature, threshold, nan):
                if head & 1:
                    return leaf
                node += 1 + own
            else:
                leaf += left + 1
                if head & 2:
                    return leaf
                node += left + 1 + own + inside

    def leaf(self, x, node, size):
        """The leaf that a row reaches in a tree of `size` nodes, the first of which is `node`."""
        leaf = 0
        while size:
            feature, threshold, nan, left = self.fields(node, self.trees.widths)
            node += 1
            if self.goes_left(x, feature, threshold, nan):
                size = left
            else:
                node, leaf, size = node + left, leaf + left + 1, size - left - 1
        return leaf

    def leaf_by_children(self, x, node, n_nodes):
        """The leaf that a row reaches from a node."""
        widths = (*self.trees.widths, self.trees.widths[3])
        while node < n_nodes:
            feature, threshold, nan, left, right = self.fields(node, widths)
            node = left if self.goes_left(x, feature, threshold, nan) else right
        return node - n_nodes

    def leaves(self, x, n_trees, n_nodes):
        """The leaf of each tree."""
        tables, found, node, leaf = self.laid.tables, [], 0, 0
        for t in range(n_trees):
            if self.trees.shape == "children":
                root = int(tables["roots"][t]) if n_trees > 1 else self.trees.size
                found.append(self.leaf_by_children(x, root, n_nodes))
                continue
            size = int(tables["sizes"][t]) if self.trees.size is None else self.trees.size
            walk = (
                self.flagged(x, node) if self.trees.shape == "flags" else self.leaf(x, node, size)
            )
            found.append(leaf + walk)
            longs = int(tables["longs"][t]) if "longs" in tables else 0
            node, leaf = node + size + longs, leaf + size + 1
        return found

    def label(self, leaf):
        """The label of a leaf."""
        bits = self.trees.leaves.label_bits
        return self.bits("labels", leaf * bits, bits)

    def values(self, leaf, S, signed):
        """The values of a leaf."""
        leaves = self.trees.leaves
        bits = leaves.row_bits
        if bits is not None:
            leaf = self.bits("rows", leaf * bits, bits)
        if leaves.pure is not None:
            if leaf < S:
                return [leaves.pure * (k == leaf) for k in range(S)]
            leaf -= S
            if leaf < leaves.pairs:
                scores, *pair = (int(b) for b in self.laid.tables["pairs"][3 * leaf : 3 * leaf + 3])
                both = {scores & 15: pair[0], scores >> 4: pair[1]}
                return [both.get(k, 0) for k in range(S)]
            leaf -= leaves.pairs
        bits = 4 if leaves.value_bits == "nibble" else leaves.value_bits
        places = range(leaf * S, leaf * S + S)
        table = self.laid.tables["values"]
        if bits == "ternary":
            return [int(table[i // 5]) // 3 ** (i % 5) % 3 - 1 for i in places]
        if bits in (8, 16):
            return [int(table[i]) for i in places]
        found = [self.bits("values", i * bits, bits) for i in places]
        signed = signed and not leaves.bias
        return [n - (1 << bits) if signed and n >> (bits - 1) else n for n in found]


def assert_tables_suffice(model, X, input_dtype):
    """Labels and scores of rows follow from the packed tables, and no read leaves a table."""
    for output, optimize in product(("label", "scores"), ("size", "balanced", "speed")):
        if output == "label" and model.classes is None:
            continue
        laid = choose_layout(model, input_dtype, output, optimize=optimize)
        if laid.label is not None:
            assert laid.labels_only and not laid.parts
            assert len(laid.model.columns) == 0
            assert {laid.label} == set(evaluate.labels(model.scores(X), model.threshold))
            continue
        tables, table = Tables(laid), laid.tables
        trees, counts = tables.trees.table, tables.trees.counts
        assert sum(t.nbytes for t in table.values()) >= 0
        assert all(t.dtype.kind in "ui" for name, t in table.items() if name != "scale")
        expected = model.scores(X)
        for x, scores in zip(X, expected, strict=True):
            if tables.trees.shape == "fused":
                assert tables.fused(x) == evaluate.labels(scores[None], model.threshold)[0]
                continue
            leaves = tables.leaves(x, len(trees.roots), len(trees.feature))
            if laid.labels_only:
                assert tables.label(leaves[0]) == evaluate.labels(scores[None], model.threshold)[0]
                continue
            signed = bool((trees.values < 0).any())
            found = laid.bias.copy()
            scores_of = None if counts is None else np.repeat(np.arange(len(counts)), counts)
            for t, leaf in enumerate(leaves):
                row = np.array(tables.values(leaf, trees.n_scores, signed)) * trees.unit
                if scores_of is None:
                    found += row
                else:
                    found[scores_of[t]] += row[0]
            for linear in model.tables_of(LinearTable):
                found = found + linear_table.quantize_input(x[None], linear)[0] @ linear.weights
            assert found.tolist() == scores.tolist()
