"""Who shares memory with whom: versions, views and hazards of arrays.

Note [Aliases].  Arrays are values here, but in Python a write through one name shows
through every other name of the same buffer.  Three facts keep that right:

* versions: all versions of one buffer have one *origin*; every name of the buffer
  holds some version, and reading a name gives the current one.
* views: `b = a[1:]` is remembered as (a, path).  A write to `b` is a write to `a` under
  that path; a read of `b` after a write to `a` reads `a` through the path again.
* hazards: two origins that *may* share memory (`b = a if c else d`, a reshape that may
  copy).  Writing one makes the other stale; reading a stale origin is refused.

Note [Items].  `y = xs[-1]` of a run-time list is a view as long as the list only
changes in its arrays.  When another item is put in that place (`xs[-1] = z`, `append`,
`pop`), `y` is *moved*: it stays what it was when it was read.  When an array of the
list is written, the views are *outdated* and read again.  A view that is both is stale.
A list that may hold one array twice is *mixed*: its arrays cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd_compiler import ir
from autograd_compiler.frontend.values import Items, Value
from autograd_compiler.types import (
    WRITABLE_CONTAINERS,
    Array,
)


@dataclass
class State:
    """What changes from statement to statement; branches work on copies."""

    names: dict[str, Value] = field(default_factory=dict)
    current: dict[ir.Var, ir.Var] = field(default_factory=dict)
    cells: dict[int, Items | ir.Var] = field(default_factory=dict)
    stale: dict[ir.Var, ir.Span] = field(default_factory=dict)
    # Views of items of run-time lists, see Note [Items].
    moved: dict[ir.Var, ir.Span] = field(default_factory=dict)
    outdated: dict[ir.Var, ir.Span] = field(default_factory=dict)
    dead: bool = False  # after `raise`

    def copy(self) -> State:
        return State(
            dict(self.names),
            dict(self.current),
            dict(self.cells),
            dict(self.stale),
            dict(self.moved),
            dict(self.outdated),
            self.dead,
        )


class Memory:
    """Facts about buffers that hold wherever they are asked for."""

    def __init__(self) -> None:
        self._origin: dict[ir.Var, ir.Var] = {}
        self._view: dict[ir.Var, tuple[ir.Var, ir.Path]] = {}
        self._hazards: dict[ir.Var, set[ir.Var]] = {}
        self._items: dict[ir.Var, set[ir.Var]] = {}  # what was put into a list
        self._mixed: set[ir.Var] = set()
        self._common: set[frozenset[ir.Var]] = set()  # see `share_items_only`

    def origin(self, var: ir.Var) -> ir.Var:
        return self._origin.get(var, var)

    def new_version(self, version: ir.Var, of: ir.Var) -> None:
        self._origin[version] = self.origin(of)

    def add_view(self, view: ir.Var, base: ir.Var, path: ir.Path) -> None:
        # Folding gives `x` itself for `x.T.T`, whose place is known.
        if view not in self._view and self.root(base)[0] is not view:
            self._view[view] = (base, path)

    def view(self, var: ir.Var) -> tuple[ir.Var, ir.Path] | None:
        return self._view.get(self.origin(var))

    def root(self, var: ir.Var) -> tuple[ir.Var, ir.Path]:
        """The origin that owns the memory, and the path from it to `var`."""
        path: ir.Path = ()
        origin = self.origin(var)
        while origin in self._view:
            base, step = self._view[origin]
            path = step + path
            origin = self.origin(base)
        return origin, path

    def add_hazard(
        self, first: ir.Var, second: ir.Var, items_only: bool = False
    ) -> None:
        """Two values may share memory; or two containers may, but only by their items."""
        a, b = self.root(first)[0], self.root(second)[0]
        if a is b:
            return
        pair = frozenset((a, b))
        if items_only and (pair in self._common or b not in self.hazards(a)):
            self._common.add(pair)
        else:
            self._common.discard(pair)
        self._hazards.setdefault(a, set()).add(b)
        self._hazards.setdefault(b, set()).add(a)

    def share_items_only(self, first: ir.Var, second: ir.Var) -> bool:
        """Whether two lists hold the same arrays, but neither is or holds the other."""
        a, b = self.root(first)[0], self.root(second)[0]
        return frozenset((a, b)) in self._common

    def views_of(self, root: ir.Var) -> list[tuple[ir.Var, ir.Path]]:
        """The views of a buffer or list, each with its whole path."""
        found = ((view, self.root(view)) for view in self._view)
        return [(view, path) for view, (origin, path) in found if origin is root]

    def views(self) -> dict[ir.Var, tuple[ir.Var, ir.Path]]:
        return dict(self._view)

    def forget_views(self, kept: dict[ir.Var, tuple[ir.Var, ir.Path]]) -> None:
        """Forget the views of code that has been thrown away."""
        self._view = kept

    def put(self, container: ir.Var, item: ir.Var) -> None:
        """An array or list becomes an item of a run-time list or dict."""
        owner, root = self.root(container)[0], self.root(item)[0]
        known = self._items.setdefault(owner, set())
        if root in known or root is owner or self.hazards(root) - {owner}:
            self._mixed.add(owner)
        known.add(root)
        arrays = isinstance(item.type, Array) and isinstance(
            root.type, WRITABLE_CONTAINERS
        )
        self.add_hazard(owner, root, items_only=arrays)

    def holds(self, container: ir.Var, item: ir.Var) -> bool:
        return item in self._items.get(container, ())

    def is_mixed(self, origin: ir.Var) -> bool:
        """Whether two places of a list may be one array."""
        return any(var in self._mixed for var in (origin, *self.hazards(origin)))

    def hazards(self, origin: ir.Var) -> set[ir.Var]:
        return self._hazards.get(origin, set())

    def may_share(self, first: ir.Var, second: ir.Var) -> bool:
        a, b = self.root(first)[0], self.root(second)[0]
        return a is b or b in self.hazards(a)
