"""Derivatives taken inside of a function that is itself differentiated.

`grad(f)(x)` in such a function becomes the body of f's gradient: generated code is in
the supported language, so it is lowered like any other helper.  The derivative of a
derivative needs nothing else.
"""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, tree
from autograd_compiler.errors import ArgumentError, MutationError
from autograd_compiler.frontend import (
    calls,
    expressions,
    methods,
    names,
    resolve,
    user_calls,
)
from autograd_compiler.frontend.program import Argument, sizes_fixed_now
from autograd_compiler.frontend.source import unparse
from autograd_compiler.frontend.values import (
    Bound,
    Capture,
    Closure,
    Frame,
    Items,
    Object,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value, type_of_operand
from autograd_compiler.types import (
    BOTTOM,
    UNKNOWN,
    Array,
    DictOf,
    Dim,
    ListOf,
    Scalar,
    SizesCoincide,
    TupleOf,
    Type,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering
    from autograd_compiler.specialise import Specialised, Specialiser

Keywords = Mapping[str, Value]


# ---------------------------------------------------------------- arguments


class Describer:
    """Descriptions of values for another lowering, which counts its own sizes.

    Sizes of the caller are renamed in the order in which they are met: those known not
    to be 1 become `n0, n1, …`, the others `q0, q1, …`, about which nothing is known.
    """

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def argument(self, low: Lowering, value: Value, node: ast.AST) -> Argument:
        value = low.read(value)
        match value:
            case ir.Var():
                return Argument(self._type(value.type))
            case ir.Pack(items, form):
                return self._container(low, form, items, node)
            case Ref():
                content = low.content(value)
                if isinstance(content, Items):
                    return self._container(low, content.form, content.items, node)
                return Argument(self._type(content.type))
            case ir.Const(fixed):
                if isinstance(
                    fixed, (int, float, complex, np.generic)
                ) and not isinstance(fixed, bool):
                    return Argument(self._type(type_of_operand(value)))
                return Argument(fixed=fixed)
            case Object(fixed):
                return Argument(fixed=fixed)
        raise low.refuse(
            node,
            "a function made in the differentiated function is passed to a derivative",
            "define it outside, and pass what it reads as arguments",
        )

    def _container(
        self, low: Lowering, form: ir.Form, items: tuple[Value, ...], node: ast.AST
    ) -> Argument:
        found = tuple(self.argument(low, item, node) for item in items)
        return Argument(form=form, items=found)

    def _type(self, kind: Type) -> Type:
        match kind:
            case Array(dtype, dims, contiguous):
                return Array(dtype, tuple(map(self._dim, dims)), contiguous)
            case Scalar(size=Dim() as size):
                return replace(kind, size=self._dim(size))
            case ListOf(item):
                return ListOf(self._type(item))
            case DictOf(item, key):
                return DictOf(self._type(item), key)
            case TupleOf(items):
                return TupleOf(tuple(map(self._type, items)))
        return UNKNOWN if kind == BOTTOM else kind

    def _dim(self, dim: Dim | None) -> Dim | None:
        if dim is None or not dim.symbol:
            return dim
        letter = "n" if dim.symbol.startswith("n") else "q"
        number = sum(name.startswith(letter) for name in self._symbols.values())
        symbol = self._symbols.setdefault(dim.symbol, f"{letter}{number}")
        return replace(dim, symbol=symbol)


def in_leaves(low: Lowering, value: Value, node: ast.AST) -> Value:
    """A value with captured named tuples and dataclasses written out.

    Of these a program sees the attributes that it asks for; a derivative asks for all.
    """
    if isinstance(value, ir.Pack):
        items = tuple(in_leaves(low, item, node) for item in value.items)
        return pack(items, value.form)
    if isinstance(value, Object) and tree.is_record(value.value):
        fields = tree.field_names(value.value)
        parts = (
            names.captured(
                low,
                value.capture.step("attribute", name),
                getattr(value.value, name),
                node,
            )
            for name in fields
        )
        items = tuple(in_leaves(low, part, node) for part in parts)
        form = ir.Form("record", fields, type(value.value))
        return pack(items, form)
    return value


def bind(
    low: Lowering,
    signature: inspect.Signature,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> dict[str, Value]:
    """The values of all parameters, defaults included."""
    args = tuple(in_leaves(low, value, node) for value in args)
    kwargs = {name: in_leaves(low, value, node) for name, value in kwargs.items()}
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise low.refuse(node, f"the derivative is called wrongly: {error}") from None
    values: dict[str, Value] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            values[name] = ir.Pack(tuple(bound.arguments.get(name, ())))
        elif parameter.kind is parameter.VAR_KEYWORD:
            rest: dict[str, Any] = bound.arguments.get(name, {})
            form = ir.Form("dict", tuple(rest))
            values[name] = ir.Pack(tuple(rest.values()), form)
        elif name in bound.arguments:
            values[name] = bound.arguments[name]
        else:
            default = parameter.default
            capture = Capture(name, default, id(default))
            values[name] = names.captured(low, capture, default, node)
    return values


def selected(low: Lowering, values: Mapping[str, Value], name: str) -> Value:
    """The argument of a name, or `args[2]` of the starred ones."""
    if name.endswith("]"):
        starred, position = name[:-1].split("[")
        packed = values[starred]
        assert isinstance(packed, ir.Pack)
        if int(position) >= len(packed.items):
            raise ArgumentError(f"argnums selects `{name}`, which is not given")
        return packed.items[int(position)]
    return values[name]


# ---------------------------------------------------------------- calling


def specialise(
    low: Lowering,
    specialiser: Specialiser,
    wrt: tuple[str, ...],
    values: Mapping[str, Value],
    node: ast.AST,
) -> Specialised:
    """The compiled derivative for values of a program that is being lowered."""
    describer = Describer()
    arguments = {
        name: describer.argument(low, value, node) for name, value in values.items()
    }
    found = specialiser.for_arguments(wrt, arguments)
    if (
        not found.lowered.fixed_sizes <= sizes_fixed_now()
    ):  # fix them in the program around, too
        raise SizesCoincide(found.lowered.fixed_sizes)
    for capture, value in found.lowered.primal.guards:
        kind = "structure" if isinstance(value, names.Structure) else ""
        key = (capture.identity, capture.name, capture.path, kind)
        low.guards[key] = (capture, value)
    return found


def run(
    low: Lowering,
    found: Specialised,
    values: Mapping[str, Value],
    more: tuple[Value, ...],
    node: ast.AST,
    inline: bool = False,
) -> Any:
    """Lower a call of compiled code: its arguments, its captures, and what follows.

    With `inline`, its body stands where it is called, in a loop too.
    """
    captured = tuple(
        names.captured(low, capture, capture.fetch(), node)
        for capture in found.lowered.primal.captures
    )
    given = (*values.values(), *captured, *more)
    return _call(low, found.run, given, node, inline)


def _call(
    low: Lowering, fun: Any, given: tuple[Value, ...], node: ast.AST, inline: bool
) -> Any:
    if inline and not (low.program and low.program.is_recursive(fun)):
        return user_calls.inline(
            low, user_calls.source_of(low, fun, node), given, {}, node
        )
    return calls.call(low, ir.Const(fun), given, {}, node)


def call_gradient(
    low: Lowering,
    specialiser: Specialiser,
    wrt: tuple[str, ...],
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> tuple[Any, dict[str, Value]]:
    """What the generated gradient returns, and the arguments that it was called with."""
    values = bind(low, specialiser.signature, args, kwargs, node)
    for name in wrt:
        check_floats(low, selected(low, values, name), specialiser.name, name, node)
    found = specialise(low, specialiser, wrt, values, node)
    return run(low, found, values, (), node), values


def check_floats(
    low: Lowering, value: Value, function: str, name: str, node: ast.AST
) -> None:
    operand = low.operand(value, node)
    for part in positions(operand):
        if not is_inexact(type_of_operand(part)):
            raise low.refuse(
                node,
                f"`{function}` is differentiated in `{name}`, which is not of floats",
                "select another argument with argnums, or pass a float: `2.0` for `2`",
            )


def positions(operand: ir.Operand) -> list[ir.Operand]:
    """The leaves of a container, constants too; an operand alone is its own leaf."""
    if isinstance(operand, ir.Pack):
        return [leaf for item in operand.items for leaf in positions(item)]
    return [operand]


def owned(
    low: Lowering, gradient: Value, argument: Value, taken: list[ir.Var], node: ast.AST
) -> Any:
    """A gradient in the form of its argument, in memory of its own.

    `taken` are the arrays that it must not share memory with; it is added to them.
    """
    argument = low.operand(argument, node)
    if isinstance(argument, ir.Pack):
        whole = low.operand(gradient, node)
        if not isinstance(whole, ir.Pack):
            return whole
        parts = tuple(
            owned(low, part, item, taken, node)
            for part, item in zip(whole.items, argument.items, strict=True)
        )
        if argument.form.kind in ("list", "dict"):
            return low.new_ref(argument.form, parts)
        return ir.Pack(parts, argument.form)
    result = low.operand(gradient, node)
    wanted = type_of_operand(argument)
    if not isinstance(result, ir.Var) or not isinstance(result.type, Array):
        return result
    if isinstance(wanted, (Array, Scalar)) and wanted.dtype != result.type.dtype:
        dtype = ir.Const(np.dtype(wanted.dtype))
        made = methods.call_method(low, result, "astype", (dtype,), {}, node)
        result = low.operand(made, node)
    elif result in low.builder.shares or any(
        low.memory.may_share(result, other) for other in taken
    ):
        result = low.apply(np.copy, result)
    if isinstance(wanted, Scalar) and isinstance(result, ir.Var):
        return low.builder.load(result, (ir.Index(ir.Pack(())),))
    if isinstance(result, ir.Var):
        taken.append(result)
    return result


def filled(low: Lowering, value: Value, model: Value, node: ast.AST) -> Value:
    """The value in the shape of another one: a constant tangent may be one number."""
    wanted = type_of_operand(low.operand(model, node))
    found = type_of_operand(low.operand(value, node))
    if not isinstance(wanted, Array) or isinstance(found, Array):
        return value
    return low.apply(np.full_like, low.operand(model, node), low.operand(value, node))


def copied(low: Lowering, value: Value, node: ast.AST) -> Value:
    """The value with a copy of every array in it."""

    def one(operand: ir.Operand) -> ir.Operand:
        if isinstance(operand, ir.Pack):
            return ir.Pack(tuple(map(one, operand.items)), operand.form)
        if isinstance(type_of_operand(operand), Array):
            return low.apply(np.copy, operand)
        return operand

    if isinstance(value, (ir.Var, ir.Pack, Ref)):
        return one(low.operand(value, node))
    return value


def arrays_of(
    low: Lowering, values: Mapping[str, Value], node: ast.AST
) -> list[ir.Var]:
    """The arrays in the arguments of a call."""
    return [
        leaf
        for value in values.values()
        if isinstance(value, (ir.Var, ir.Pack, Ref))
        for leaf in ir.leaves(low.operand(value, node))
    ]


@dataclass(eq=False)
class Pullback:
    """The function that `vjp` gives, in a program that is being lowered."""

    found: Specialised
    residuals: Value
    out: Value
    arguments: tuple[Value, ...]

    def __autograd_compiler_call__(
        self, low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        if len(args) != 1 or kwargs:
            raise low.refuse(node, "the function that `vjp` gives takes one cotangent")
        result = self.adjoints(low, args[0], node)
        now = low.operand(self.residuals, node)
        cotangent = low.operand(in_leaves(low, args[0], node), node)
        taken = [*ir.leaves(now), *ir.leaves(cotangent)]
        return ir.Pack(
            tuple(
                owned(low, part, argument, taken, node)
                for part, argument in zip(result.items, self.arguments, strict=True)
            )
        )

    def adjoints(
        self, low: Lowering, cotangent: Value, node: ast.AST, inline: bool = False
    ) -> ir.Pack:
        """The adjoints of the arguments; they may share memory with what is around."""
        now = low.operand(self.residuals, node)
        for var in ir.leaves(now):
            if low.memory.origin(var) in low.state.current and var not in set(
                ir.leaves(self.residuals)  # type: ignore[arg-type]
            ):
                raise MutationError(
                    f"`{var.name or 'an array'}` is written between `vjp` and the call "
                    "of the function that it gives",
                    low.span(node),
                    "call it before the write, or differentiate at a copy",
                )
        cotangent = in_leaves(low, cotangent, node)
        check_like(low, cotangent, self.out, "cotangent", node)
        result = _call(low, self.found.pullback(), (now, cotangent), node, inline)
        assert isinstance(result, ir.Pack)
        return result


def check_like(
    low: Lowering, given: Value, model: Value, what: str, node: ast.AST
) -> None:
    """Refuse a tangent or cotangent of another form than the value it belongs to."""
    first, second = low.operand(given, node), low.operand(model, node)
    if isinstance(second, ir.Pack):
        if not isinstance(first, ir.Pack) or first.form != second.form:
            if not isinstance(first, ir.Pack) or len(first.items) != len(second.items):
                raise low.refuse(
                    node,
                    f"the {what} must have the structure of the value it belongs to",
                )
        for item, part in zip(first.items, second.items, strict=True):
            check_like(low, item, part, what, node)
        return
    a, b = type_of_operand(first), type_of_operand(second)
    if (
        is_inexact(b)
        and isinstance(a, (Scalar, Array))
        and isinstance(b, (Scalar, Array))
    ):
        if getattr(a, "ndim", 0) != getattr(b, "ndim", 0):
            raise low.refuse(
                node,
                f"the {what} has {getattr(a, 'ndim', 0)} dimensions and the value that "
                f"it belongs to has {getattr(b, 'ndim', 0)}",
                f"pass a {what} of the same shape",
            )


# ---------------------------------------------------------------- functions as values


def function_of(low: Lowering, value: Value, node: ast.AST) -> Callable[..., Any]:
    """The Python function that a value of the program is, if it is one from outside."""
    match value:
        case ir.Const(fun) if callable(fun):
            return fun  # type: ignore[no-any-return]
        case Object(fun, capture) if callable(fun):
            low.guards[(capture.identity, capture.name, capture.path)] = (capture, fun)
            return fun  # type: ignore[no-any-return]
        case Bound(ir.Const(fun), (Object(owner, _),), ()):
            return types.MethodType(fun, owner)
    raise low.refuse(
        node,
        "the derivative of this value is not followed",
        "take the derivative of a function that is defined with `def` or `lambda`",
    )


def constant(low: Lowering, value: Value, node: ast.AST) -> Any:
    """An option of a transformation: it must be known when compiling."""
    operand = low.operand(value, node)
    known = constant_value(operand)
    if known is None:
        raise low.refuse(node, "an option of a derivative that only run time knows")
    return known.value


def items_of(low: Lowering, value: Value, node: ast.AST) -> tuple[Value, ...]:
    items = expressions.static_items(low, value)
    if items is None:
        raise low.refuse(node, "`jvp` takes tuples: `jvp(f, (x, y), (d_x, d_y))`")
    return tuple(in_leaves(low, low.read(item), node) for item in items)


def on_function(
    low: Lowering, function: Value, make: Callable[[Any], Any], node: ast.AST
) -> Value:
    """`make(function)`, a derivative, as a value of the program."""
    if isinstance(function, Closure):
        plain, closure, free = lifted(low, function, node)
        return with_free_values(make(plain), closure, free)
    return ir.Const(make(function_of(low, function, node)))


def call_on_function(
    low: Lowering,
    function: Value,
    args: tuple[Value, ...],
    lower: Callable[..., Value],
    node: ast.AST,
) -> Value:
    """`lower(low, fun, args, kwargs, node)` with what a nested function reads."""
    if not isinstance(function, Closure):
        return lower(low, function_of(low, function, node), args, {}, node)
    plain, closure, free = lifted(low, function, node)
    call = Direct(lambda *given: lower(given[0], plain, *given[1:]))
    derivative = with_free_values(call, closure, free)
    return calls.call(low, derivative, args, {}, node)


@dataclass(eq=False)
class Direct:
    """A callee that lowers its own call."""

    lower: Callable[..., Value]

    def __autograd_compiler_call__(
        self, low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        return self.lower(low, args, kwargs, node)


_NUMBERS = count()


def lifted(
    low: Lowering, closure: Closure, node: ast.AST
) -> tuple[Any, Closure, tuple[str, ...]]:
    """A nested function as a function of the module: what it reads become keywords.

    Given with the place that these keywords are read from, and their names.
    """
    if closure.derived is not None:
        return closure.derived
    helpers: dict[str, ast.FunctionDef] = {}
    free: dict[str, None] = {}

    def collect(definition: ast.FunctionDef, frame: Frame) -> None:
        for name in sorted(resolve.free_names(definition)):
            found = _find(low, frame, name)
            if found is None or name in free or name in helpers:
                continue
            if isinstance(found, Closure):
                helpers[name] = _named(found.node, name)
                collect(found.node, found.frame)
            else:
                free[name] = None

    collect(closure.node, closure.frame)
    name = closure.node.name if closure.node.name.isidentifier() else "function"
    made = _named(closure.node, name)
    if closure.defaults or closure.keyword_defaults:
        raise low.refuse(
            node,
            "the derivative of a nested function with default values",
            "pass the values as arguments",
        )
    if made.args.kwarg is not None:
        raise low.refuse(node, "the derivative of a nested function with `**`")
    made.args.kwonlyargs = [*made.args.kwonlyargs, *(ast.arg(item) for item in free)]
    made.args.kw_defaults = [*made.args.kw_defaults, *(None for _ in free)]
    made.body = [*helpers.values(), *made.body]
    text = unparse(ast.Module([made], [])) + "\n"
    found = defined(name, text, f"inside {closure.frame.filename}")
    # Globals are those of the program, which may change between calls.
    function = types.FunctionType(found.__code__, closure.frame.globals, name)
    return function, closure, tuple(free)


def defined(name: str, text: str, where: str = "") -> Any:
    """The function of that name in a text, which can be read again as its source."""
    filename = f"<{name} {where}:{next(_NUMBERS)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    scope: dict[str, Any] = {"np": np}
    exec(compile(text, filename, "exec"), scope)
    return scope[name]


def _named(definition: ast.FunctionDef, name: str) -> ast.FunctionDef:
    made = copy.deepcopy(definition)
    made.name = name
    made.decorator_list = []
    made.returns = None
    for arg in (*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs):
        arg.annotation = None
    return made


def _find(low: Lowering, frame: Frame | None, name: str) -> Value | None:
    """What a name means where a nested function reads it; None for globals."""
    while frame is not None:
        known = low.state.names if frame is low.frame else frame.names
        if name in known:
            return known[name]
        if name in frame.cells:
            return ir.Const(None)
        frame = frame.parent
    return None


def with_free_values(derivative: Any, closure: Closure, free: tuple[str, ...]) -> Value:
    """`lambda *args, **kwargs: derivative(*args, x=x, **kwargs)`, seen from the closure.

    The free variables are read when the derivative is called, as Python does.
    """
    target = "_derivative"
    keywords = [ast.keyword(name, ast.Name(name, ast.Load())) for name in free]
    keywords.append(ast.keyword(None, ast.Name("_keywords", ast.Load())))
    call = ast.Call(
        ast.Name(target, ast.Load()),
        [ast.Starred(ast.Name("_arguments", ast.Load()), ast.Load())],
        keywords,
    )
    definition = ast.FunctionDef(
        name="derivative",
        args=ast.arguments(
            posonlyargs=[],
            args=[],
            vararg=ast.arg("_arguments"),
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=ast.arg("_keywords"),
            defaults=[],
        ),
        body=[ast.Return(call)],
        decorator_list=[],
    )
    for part in ast.walk(definition):
        ast.copy_location(part, closure.node)
    outer = closure.frame
    frame = Frame(
        {target: ir.Const(derivative)},
        outer.globals,
        outer.cells,
        outer.filename,
        frozenset(),
        outer,
    )
    return Closure(definition, frame, derived=(derivative, closure, free))
