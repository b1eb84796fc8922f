"""The intermediate representation: structured SSA, the same at every stage.

A `Function` holds one `Block` of operations.  Control flow is an operation that
holds blocks (`If`, `For`, `While`, `With`); values that change in a loop are carried
explicitly, as `params` on the loop.  There are no jumps and no phi nodes, so the
reverse of a block is the reversed list of the reverses of its operations.

Everything is a *value*, arrays and lists too.  A write is an operation that takes the
old version and gives the new one (`Store`, `Append`, `Pop`); both are the same
buffer at run time, so the old version must not be used afterwards.  That is the one
invariant which makes reversal as simple for programs with writes as for programs
without (the idea is Futhark's uniqueness, found here by the frontend instead of
declared by the user).

Naming: an operation writes `target(s)` and reads *operands*.  An operand is a `Var`,
a `Const`, or a small fixed structure of these (`Pack`, `Slice`), as it stands in an
index `x[i, 1:n]`, a shape `(n, m)` or a returned dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from autograd_compiler.types import UNKNOWN, Type


@dataclass(frozen=True)
class Span:
    """Where an operation comes from in the user's source."""

    filename: str
    line: int
    column: int
    end_line: int = 0
    end_column: int = 0
    statement: str = ""  # the primal statement, on one line: the comment of its adjoint


NOWHERE = Span("<generated>", 0, 0)


# ---------------------------------------------------------------- operands


class Var:
    """One SSA value: assigned once, compared by identity.

    `name` is what the value should be called in generated code: the user's name,
    `d_<name>` for an adjoint or tangent, or "" for a temporary that has none.
    """

    __slots__ = ("name", "type")

    def __init__(self, name: str = "", type: Type = UNKNOWN) -> None:
        self.name = name
        self.type = type

    def __repr__(self) -> str:
        return f"%{self.name or id(self) % 10000}"


@dataclass(frozen=True, eq=False)
class Const:
    """A Python object known when compiling: a literal, None, a dtype, a string."""

    value: Any


@dataclass(frozen=True)
class Form:
    """The shape of a `Pack`: which container, with which keys."""

    kind: Literal["tuple", "list", "dict", "record"]
    keys: tuple[Any, ...] = ()  # dict keys, or field names of a record
    cls: type | None = None  # namedtuple or dataclass type of a record


TUPLE = Form("tuple")
LIST = Form("list")


@dataclass(frozen=True, eq=False)
class Pack:
    """A container of fixed structure, written out where it is used: `(n, m)`."""

    items: tuple[Operand, ...]
    form: Form = TUPLE


@dataclass(frozen=True, eq=False)
class Slice:
    """`start:stop:step` inside an index; absent parts are `Const(None)`."""

    start: Operand
    stop: Operand
    step: Operand


Operand: TypeAlias = Var | Const | Pack | Slice


# ---------------------------------------------------------------- paths


@dataclass(frozen=True, eq=False)
class Index:
    """One subscript step of a path: `[index]`; for records `.name` (a `Const` str)."""

    index: Operand
    attribute: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """One view step of a path: `np.transpose(·)`, `·.reshape(n, m)`."""

    fn: Callable[..., Any]
    args: tuple[Operand, ...] = ()
    kwargs: tuple[tuple[str, Operand], ...] = ()


Path: TypeAlias = tuple[Index | View, ...]


@dataclass(frozen=True)
class Method:
    """The callee of a method call on an object the compiler does not look into."""

    name: str


@dataclass(frozen=True)
class CallValue:
    """The callee of a call of a run-time function value, its first argument."""


@dataclass(frozen=True, eq=False)
class GradOf:
    """The callee of `y = x` that says what happens to the adjoint on its way to `x`.

    The call has `x` and what else `adjust` needs; `adjust(d_y, *others)` gives `d_x`.
    """

    adjust: Any  # a `Closure` of the frontend


# ---------------------------------------------------------------- operations


@dataclass(frozen=True, eq=False)
class Op:
    span: Span
    # Which sweep the operation belongs to: adjoint operations are grouped under a
    # comment that shows the primal statement they reverse.
    adjoint: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, eq=False)
class Apply(Op):
    """`targets = fn(*args, **kwargs)`, without side effects.

    `fn` is the real Python object (`np.tanh`, `operator.add`, `math.sin`), `getattr`
    for `x.shape`, `Method("normal")`/`CallValue()` for calls on opaque objects.
    Several targets unpack the result.  `style` says how the user wrote it:
    "method" prints `x.sum(axis=0)`, "function" prints `np.sum(x, axis=0)`.
    """

    targets: tuple[Var, ...]
    fn: Any
    args: tuple[Operand, ...]
    kwargs: tuple[tuple[str, Operand], ...] = ()
    style: Literal["function", "method"] = "function"

    @property
    def target(self) -> Var:
        (target,) = self.targets
        return target


@dataclass(frozen=True, eq=False)
class Load(Op):
    """`target = base[i][j]…`: subscripts only."""

    target: Var
    base: Var
    path: tuple[Index, ...]


@dataclass(frozen=True, eq=False)
class Store(Op):
    """`base[…] = value` in place (or `+=` for mode "add"); `target` is the new version.

    An empty path writes the whole array (`base[...] = value`, `base += value`).
    "add" accumulates repeated fancy indices, as `np.add.at` does.
    """

    target: Var
    base: Var
    path: Path
    value: Operand
    mode: Literal["set", "add"] = "set"


@dataclass(frozen=True, eq=False)
class Append(Op):
    """`base.append(value)`; `target` is the longer list."""

    target: Var
    base: Var
    value: Operand


@dataclass(frozen=True, eq=False)
class Pop(Op):
    """`value = base.pop()`; `target` is the shorter list."""

    target: Var
    value: Var
    base: Var


@dataclass(frozen=True, eq=False)
class Effect(Op):
    """A statement kept for what it does: `print`, `assert`, `raise`, an opaque call.

    `kind` "assert" has operands (condition, message); "raise" (exception,); "call"
    calls `fn` with the arguments.
    """

    kind: Literal["assert", "raise", "call"]
    args: tuple[Operand, ...]
    fn: Any = None
    kwargs: tuple[tuple[str, Operand], ...] = ()


@dataclass(frozen=True, eq=False)
class Call(Op):
    """`targets = function(*args)`: a call of another function of the module."""

    targets: tuple[Var, ...]
    function: str
    args: tuple[Operand, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """Operations in order, then the values the block gives to what holds it."""

    ops: tuple[Operation, ...]
    results: tuple[Operand, ...] = ()


UNDEFINED = Const("<undefined>")
"""The result of a branch that leaves a variable unassigned; emits no assignment."""


@dataclass(frozen=True, eq=False)
class If(Op):
    """`targets` are the results of the branch taken."""

    targets: tuple[Var, ...]
    cond: Operand
    then: Block
    orelse: Block


@dataclass(frozen=True, eq=False)
class For(Op):
    """`for index in range(start, stop, step)`, backwards if `reverse`.

    `params` hold the carried values inside an iteration, `inits` at the first one;
    `body.results` are the next ones and `targets` the last ones.  With `breaks`, the
    body has one result more, in front: a boolean that says to leave the loop after
    this iteration (its carried results still count).
    """

    targets: tuple[Var, ...]
    index: Var
    start: Operand
    stop: Operand
    step: Operand
    params: tuple[Var, ...]
    inits: tuple[Operand, ...]
    body: Block
    breaks: bool = False
    reverse: bool = False


@dataclass(frozen=True, eq=False)
class While(Op):
    """`cond` (one result) and `body` both read `params`; results as in `For`."""

    targets: tuple[Var, ...]
    params: tuple[Var, ...]
    inits: tuple[Operand, ...]
    cond: Block
    body: Block
    breaks: bool = False


@dataclass(frozen=True, eq=False)
class With(Op):
    """`with context: body`, for context managers that do not touch the values."""

    targets: tuple[Var, ...]
    context: Operand
    body: Block


Operation: TypeAlias = (
    Apply | Load | Store | Append | Pop | Effect | Call | If | For | While | With
)


# ---------------------------------------------------------------- functions


@dataclass(frozen=True, eq=False)
class Param:
    """A parameter; its `tree` is a `Var`, or a `Pack` whose leaves are its parts.

    A leaf of a pack has no variable of its own in generated code: it is written as
    the path that leads to it, `params["W1"]`.
    """

    name: str
    tree: Operand


@dataclass(frozen=True, eq=False)
class Function:
    name: str
    params: tuple[Param, ...]
    body: Block  # body.results[0] is what the function returns
    span: Span
    doc: str = ""
    checkpoint: bool = False  # nothing of it is kept for a reverse sweep


@dataclass(frozen=True, eq=False)
class Module:
    """Functions in the order of emission; the last one is the entry."""

    functions: tuple[Function, ...]

    @property
    def entry(self) -> Function:
        return self.functions[-1]


# ---------------------------------------------------------------- walking


def leaves(operand: Operand) -> Iterator[Var]:
    """The variables in an operand, left to right."""
    match operand:
        case Var():
            yield operand
        case Pack(items):
            for item in items:
                yield from leaves(item)
        case Slice(start, stop, step):
            yield from leaves(start)
            yield from leaves(stop)
            yield from leaves(step)


def path_operands(path: Path) -> Iterator[Operand]:
    for step in path:
        match step:
            case Index(index):
                yield index
            case View(_, args, kwargs):
                yield from args
                yield from (value for _, value in kwargs)


def operands(op: Operation) -> Iterator[Operand]:
    """What an operation reads itself, blocks that it holds left out."""
    match op:
        case Apply(_, _, _, args, kwargs):
            yield from args
            yield from (value for _, value in kwargs)
        case Load(_, _, base, path):
            yield base
            yield from path_operands(path)
        case Store(_, _, base, path, value):
            yield base
            yield from path_operands(path)
            yield value
        case Append(_, _, base, value):
            yield base
            yield value
        case Pop(_, _, _, base):
            yield base
        case Effect(_, _, args, _, kwargs):
            yield from args
            yield from (value for _, value in kwargs)
        case Call(_, _, _, args):
            yield from args
        case If(cond=cond):
            yield cond
        case For(start=start, stop=stop, step=step, inits=inits):
            yield from (start, stop, step, *inits)
        case While(inits=inits):
            yield from inits
        case With(context=context):
            yield context


def uses(op: Operation) -> Iterator[Var]:
    """The variables that an operation reads itself, blocks left out."""
    for operand in operands(op):
        yield from leaves(operand)


def blocks(op: Operation) -> tuple[Block, ...]:
    """The blocks that an operation holds."""
    match op:
        case If(then=then, orelse=orelse):
            return (then, orelse)
        case For(body=body) | With(body=body):
            return (body,)
        case While(cond=cond, body=body):
            return (cond, body)
    return ()


def targets(op: Operation) -> tuple[Var, ...]:
    """The variables that an operation defines for what follows it."""
    match op:
        case Apply(targets=found) | Call(targets=found) | If(targets=found):
            return found
        case For(targets=found) | While(targets=found) | With(targets=found):
            return found
        case Load(target=target) | Store(target=target) | Append(target=target):
            return (target,)
        case Pop(target=target, value=value):
            return (target, value)
    return ()


def inner_vars(op: Operation) -> tuple[Var, ...]:
    """The variables that an operation defines for its own blocks."""
    match op:
        case For(index=index, params=params):
            return (index, *params)
        case While(params=params):
            return params
    return ()


def walk(block: Block) -> Iterator[Operation]:
    """Every operation of a block and of the blocks inside, outer ones first."""
    for op in block.ops:
        yield op
        for inner in blocks(op):
            yield from walk(inner)


def block_uses(block: Block) -> Iterator[Var]:
    """Every variable read anywhere in a block, its results included."""
    for op in block.ops:
        yield from uses(op)
        for inner in blocks(op):
            yield from block_uses(inner)
    for result in block.results:
        yield from leaves(result)


def free_vars(block: Block) -> dict[Var, None]:
    """The variables that a block reads and does not define, in order of first use."""
    found: dict[Var, None] = {}

    def visit(block: Block, bound: set[Var]) -> None:
        bound = set(bound)
        for op in block.ops:
            found.update((var, None) for var in uses(op) if var not in bound)
            inside = bound | set(inner_vars(op))
            for inner in blocks(op):
                visit(inner, inside)
            bound.update(targets(op))
        for result in block.results:
            found.update((var, None) for var in leaves(result) if var not in bound)

    visit(block, set())
    return found


def rebuild(operand: Operand, change: Callable[[Var], Operand]) -> Operand:
    """The operand with each variable replaced by `change(variable)`."""
    match operand:
        case Var():
            return change(operand)
        case Pack(items, form):
            return Pack(tuple(rebuild(item, change) for item in items), form)
        case Slice(start, stop, step):
            return Slice(
                rebuild(start, change), rebuild(stop, change), rebuild(step, change)
            )
    return operand


def rebuild_path(path: Path, change: Callable[[Var], Operand]) -> Path:
    done: list[Index | View] = []
    for step in path:
        match step:
            case Index(index, attribute):
                done.append(Index(rebuild(index, change), attribute))
            case View(fn, args, kwargs):
                done.append(
                    View(
                        fn,
                        tuple(rebuild(arg, change) for arg in args),
                        tuple((key, rebuild(value, change)) for key, value in kwargs),
                    )
                )
    return tuple(done)


def rebuild_op(
    op: Operation,
    change: Callable[[Var], Operand],
    block: Callable[[Block], Block] | None = None,
) -> Operation:
    """The operation with its operands changed, and its blocks by `block`.

    `change` must give a `Var` where the IR asks for one (the base of a load).
    """

    def one(operand: Operand) -> Operand:
        return rebuild(operand, change)

    def many(operands: tuple[Operand, ...]) -> tuple[Operand, ...]:
        return tuple(map(one, operands))

    def var(operand: Var) -> Var:
        changed = change(operand)
        assert isinstance(changed, Var), f"{operand!r} must stay a variable"
        return changed

    def pairs(
        kwargs: tuple[tuple[str, Operand], ...],
    ) -> tuple[tuple[str, Operand], ...]:
        return tuple((key, one(value)) for key, value in kwargs)

    def inside(inner: Block) -> Block:
        if block is not None:
            return block(inner)
        return rebuild_block(inner, change)

    match op:
        case Apply():
            return replace(op, args=many(op.args), kwargs=pairs(op.kwargs))
        case Load():
            path: Any = rebuild_path(op.path, change)
            return replace(op, base=var(op.base), path=path)
        case Store():
            path = rebuild_path(op.path, change)
            return replace(op, base=var(op.base), path=path, value=one(op.value))
        case Append():
            return replace(op, base=var(op.base), value=one(op.value))
        case Pop():
            return replace(op, base=var(op.base))
        case Effect():
            return replace(op, args=many(op.args), kwargs=pairs(op.kwargs))
        case Call():
            return replace(op, args=many(op.args))
        case If():
            return replace(
                op, cond=one(op.cond), then=inside(op.then), orelse=inside(op.orelse)
            )
        case For():
            return replace(
                op,
                start=one(op.start),
                stop=one(op.stop),
                step=one(op.step),
                inits=many(op.inits),
                body=inside(op.body),
            )
        case While():
            return replace(
                op, inits=many(op.inits), cond=inside(op.cond), body=inside(op.body)
            )
        case With():
            return replace(op, context=one(op.context), body=inside(op.body))
    raise AssertionError(f"unknown operation {op!r}")


def at_span(op: Operation, span: Span) -> Operation:
    """The operation, with those inside of it, as of another statement."""

    def inside(block: Block) -> Block:
        return Block(tuple(at_span(inner, span) for inner in block.ops), block.results)

    return replace(rebuild_op(op, lambda var: var, inside), span=span)


def rebuild_block(block: Block, change: Callable[[Var], Operand]) -> Block:
    """The block with every variable that it reads changed."""
    return Block(
        tuple(rebuild_op(op, change) for op in block.ops),
        tuple(rebuild(result, change) for result in block.results),
    )
