"""Through which one node does every way to a node lead?

Lengauer and Tarjan's algorithm with path compression: `O(edges x log nodes)`, whatever a hostile database makes of its
graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def dominators(successors: Mapping[int, Sequence[int]], root: int) -> tuple[list[int], list[int]]:
    """Return (order, immediate dominators) of the nodes that `root` leads to; a dominator comes before its own.

    Both lists run in parallel; the root, the first, dominates itself.
    """
    order, parents, numbers = _search(successors, root)
    before: list[list[int]] = [[] for _ in order]
    for number, node in enumerate(order):
        for other in successors[node]:
            before[numbers[other]].append(number)
    count = len(order)
    # From here on nodes are their numbers in `order`.
    semi, label, immediate = list(range(count)), list(range(count)), [0] * count
    forest = [-1] * count
    waiting: list[list[int]] = [[] for _ in order]

    def least(node: int) -> int:
        """Return the node of least semidominator on the way up the forest, shortening the way."""
        if forest[node] < 0:
            return node
        path = []
        while forest[forest[node]] >= 0:
            path.append(node)
            node = forest[node]
        last = node
        for node in reversed(path):
            above = forest[node]
            if semi[label[above]] < semi[label[node]]:
                label[node] = label[above]
            forest[node] = forest[above]
            last = node
        return label[last]

    for node in range(count - 1, 0, -1):
        semi[node] = min(semi[node], *(semi[least(other)] for other in before[node]))
        waiting[semi[node]].append(node)
        parent = forest[node] = parents[node]
        for other in waiting[parent]:
            best = least(other)
            immediate[other] = best if semi[best] < semi[other] else parent
        waiting[parent].clear()
    for node in range(1, count):
        if immediate[node] != semi[node]:
            immediate[node] = immediate[immediate[node]]
    return order, [order[node] for node in immediate]


def _search(successors: Mapping[int, Sequence[int]], root: int) -> tuple[list[int], list[int], dict[int, int]]:
    """Search depth first: return nodes in preorder, the number of the parent of each, and node -> number."""
    order: list[int] = []
    parents: list[int] = []
    numbers: dict[int, int] = {}
    todo = [(root, -1)]
    while todo:
        node, parent = todo.pop()
        if node in numbers:
            continue
        number = numbers[node] = len(order)
        order.append(node)
        parents.append(parent)
        todo.extend((other, number) for other in reversed(successors[node]) if other not in numbers)
    return order, parents, numbers
