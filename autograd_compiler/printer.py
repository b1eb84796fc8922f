"""The IR as text in the syntax of Python.

`Expressions` writes operands and operations with as few parentheses as precedence
allows; the emitter writes generated code with it.  `print_function` shows a stage of
the compiler: SSA values are `%x`, `%x.1`, what a block gives is a `yield`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import operator
import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd_compiler import ir
from autograd_compiler.names import Namespace
from autograd_compiler.types import Array, Scalar, dtype_of

# Levels of precedence, loosest first, as in the grammar of Python.
CONDITIONAL, OR, AND, NOT, COMPARISON = range(1, 6)
BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, PRIMARY = range(6, 15)


class Expression(NamedTuple):
    """A piece of text and how tightly it binds."""

    text: str
    level: int = PRIMARY

    def at(self, level: int) -> str:
        """The text where something that binds at least this tightly must stand."""
        return self.text if self.level >= level else f"({self.text})"


BINARY: dict[Any, tuple[str, int]] = {
    operator.or_: ("|", BIT_OR),
    operator.xor: ("^", BIT_XOR),
    operator.and_: ("&", BIT_AND),
    operator.lshift: ("<<", SHIFT),
    operator.rshift: (">>", SHIFT),
    operator.add: ("+", SUM),
    operator.sub: ("-", SUM),
    operator.mul: ("*", PRODUCT),
    operator.truediv: ("/", PRODUCT),
    operator.floordiv: ("//", PRODUCT),
    operator.mod: ("%", PRODUCT),
    operator.matmul: ("@", PRODUCT),
    operator.pow: ("**", POWER),
    operator.lt: ("<", COMPARISON),
    operator.le: ("<=", COMPARISON),
    operator.eq: ("==", COMPARISON),
    operator.ne: ("!=", COMPARISON),
    operator.gt: (">", COMPARISON),
    operator.ge: (">=", COMPARISON),
    operator.is_: ("is", COMPARISON),
    operator.is_not: ("is not", COMPARISON),
}
PREFIX: dict[Any, str] = {
    operator.neg: "-",
    operator.pos: "+",
    operator.invert: "~",
}
_NEGATED: dict[Any, str] = {
    operator.is_: "is not",
    operator.is_not: "is",
    operator.contains: "not in",
}
_BY_IDENTITY = {id(fn) for fn in (*BINARY, *PREFIX, operator.not_, operator.contains)}
_GIVES_BOOLEAN = {
    id(fn) for fn in (operator.not_, operator.contains, bool, isinstance)
} | {id(fn) for fn, (_, level) in BINARY.items() if level == COMPARISON}
_PLAIN_FUNCTIONS = {id(operator.abs): "abs", id(operator.truth): "bool"}
_METHOD_NAMES = {"amax": "max", "amin": "min", "around": "round", "absolute": "__abs__"}


def has_operator(fn: Any) -> bool:
    """Whether a call of the function is written with an operator: `a + b`."""
    return id(fn) in _BY_IDENTITY or fn is operator.getitem


def is_identity(fn: Any) -> bool:
    """Whether the function is the compiler's own `y = x`."""
    if isinstance(fn, ir.GradOf):
        return True
    module = getattr(fn, "__module__", None) or ""
    named = getattr(fn, "__name__", "") == "identity"
    return named and module.startswith("autograd_compiler.")


def is_unpacking(fn: Any) -> bool:
    """Whether the function is the compiler's own `x, y = pair`."""
    module = getattr(fn, "__module__", None) or ""
    named = getattr(fn, "__name__", "") == "unpack"
    return named and module.startswith("autograd_compiler.")


def is_boolean(operand: ir.Operand, folded: Mapping[ir.Var, ir.Operation]) -> bool:
    """Whether an operand is True or False (or NumPy's), and not merely truthy."""
    match operand:
        case ir.Const(value):
            return isinstance(value, (bool, np.bool_))
        case ir.Var(type=Scalar("bool")):
            return True
        case ir.Var() if operand in folded:
            match folded[operand]:
                case ir.Apply(fn=fn):
                    return id(fn) in _GIVES_BOOLEAN
                case ir.If(then=then, orelse=orelse):
                    return is_boolean(then.results[0], folded) and is_boolean(
                        orelse.results[0], folded
                    )
    return False


class Expressions:
    """Writes operands and the operations that are expressions.

    Parameters
    ----------
    name : callable
        What a variable is called.
    namespace : Namespace
        Where functions get their spelling.
    folded : mapping
        The variables that are written as the operation that gives them.
    """

    def __init__(
        self,
        name: Callable[[ir.Var], str],
        namespace: Namespace,
        folded: Mapping[ir.Var, ir.Operation],
    ) -> None:
        self._name = name
        self._namespace = namespace
        self._folded = folded

    # ------------------------------------------------------------ operands

    def text(self, operand: ir.Operand) -> str:
        return self.operand(operand).text

    def operand(self, operand: ir.Operand) -> Expression:
        match operand:
            case ir.Var():
                if operand in self._folded:
                    return self.operation(self._folded[operand])
                return Expression(self._name(operand))
            case ir.Const(value):
                return self.constant(value)
            case ir.Pack(items, form):
                return self._pack(items, form)
            case ir.Slice(start, stop, step):
                return self._call("slice", (start, stop, step))

    def bare(self, operand: ir.Operand) -> str:
        """The operand where a tuple needs no parentheses: `return a, b`."""
        if (
            isinstance(operand, ir.Pack)
            and operand.form.kind == "tuple"
            and len(operand.items) > 1
        ):
            return ", ".join(map(self.text, operand.items))
        return self.text(operand)

    def _pack(self, items: tuple[ir.Operand, ...], form: ir.Form) -> Expression:
        texts = [self.text(item) for item in items]
        match form.kind:
            case "tuple":
                return _tuple(texts)
            case "list":
                return Expression(f"[{', '.join(texts)}]")
            case "dict":
                keys = [self.constant(key).text for key in form.keys]
                pairs = zip(keys, texts, strict=True)
                return Expression("{" + ", ".join(map(": ".join, pairs)) + "}")
        pairs = zip(map(str, form.keys), texts, strict=True)
        fields = ", ".join(map("=".join, pairs))
        return Expression(f"{self._namespace.spell(form.cls)}({fields})")

    def constant(self, value: Any) -> Expression:
        """A text whose value is equal to the constant and of the same type."""
        kind = type(value)
        if kind in (str, bytes):
            return Expression(_quoted(repr(value)))
        if value is None or value is Ellipsis or kind in (bool, int):
            return _number("..." if value is Ellipsis else repr(value))
        if kind is float:
            return self._float(value)
        if kind is complex:
            return self._complex(value)
        if kind is tuple:
            return _tuple([self.constant(item).text for item in value])
        if kind is list:
            return Expression(f"[{self._constants(value)}]")
        if kind is set and value:
            # Sorted, because the order of a set changes from run to run.
            texts = sorted(self.constant(item).text for item in value)
            return Expression("{" + ", ".join(texts) + "}")
        if kind is dict:
            pairs = (
                f"{self.constant(key).text}: {self.constant(item).text}"
                for key, item in value.items()
            )
            return Expression("{" + ", ".join(pairs) + "}")
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return Expression(f"slice({self._constants(parts)})")
        if kind is range:
            parts = (value.start, value.stop, value.step)
            return Expression(f"range({self._constants(parts)})")
        if isinstance(value, types.ModuleType):
            return Expression(self._namespace.module(value.__name__))
        if isinstance(value, np.dtype) and value.isnative and value.kind in "biufc":
            return Expression(f"{self._numpy('dtype')}({_quoted(repr(value.name))})")
        if isinstance(value, (np.generic, np.ndarray)):
            return self._numpy_value(value)
        return Expression(self._namespace.spell(value))

    def _constants(self, values: Iterable[Any]) -> str:
        return ", ".join(self.constant(value).text for value in values)

    def _numpy(self, name: str) -> str:
        return f"{self._namespace.module('numpy')}.{name}"

    def _float(self, value: float) -> Expression:
        if math.isfinite(value):
            return (
                Expression(self._numpy("pi"))
                if value == math.pi
                else _number(re.sub("e-0+", "e-", repr(value)))
            )
        if math.isnan(value):
            return Expression(self._numpy("nan"))
        infinity = self._numpy("inf")
        return Expression(infinity) if value > 0 else Expression(f"-{infinity}", UNARY)

    def _complex(self, value: complex) -> Expression:
        parts = (value.real, value.imag)
        if all(map(math.isfinite, parts)):
            text = repr(value)
            # With zeros that have a sign, the text can mean another number.
            if repr(ast.literal_eval(text)) == text:
                return _number(text)
        return Expression(f"complex({self._constants(parts)})")

    def _numpy_value(self, value: Any) -> Expression:
        if value.dtype.kind not in "biufc" or value.dtype.itemsize > 16:
            return Expression(self._namespace.spell(value))
        if isinstance(value, np.generic):
            item = value.item()
            if isinstance(item, np.generic):  # wider than Python's numbers
                return Expression(self._namespace.spell(value))
            spelling = self._namespace.spell(type(value))
            return Expression(f"{spelling}({self.constant(item).text})")
        if type(value) is not np.ndarray or value.size > 16:
            return Expression(self._namespace.spell(value))
        items = self.constant(value.tolist()).text
        kind = self._namespace.spell(value.dtype.type)
        return Expression(f"{self._numpy('array')}({items}, dtype={kind})")

    # ------------------------------------------------------------ subscripts

    def index(self, operand: ir.Operand) -> str:
        """What stands between the brackets of `x[...]`."""
        match operand:
            case ir.Slice(start, stop, step):
                return self._slice(start, stop, step)
            case ir.Const(slice() as value):
                parts = (value.start, value.stop, value.step)
                return self._slice(*map(ir.Const, parts))
            case ir.Pack(items, form) if form.kind == "tuple" and items:
                return _commas(map(self.index_item, items))
            case ir.Const(tuple() as value) if value and type(value) is tuple:
                return _commas(self.index_item(ir.Const(item)) for item in value)
        return self.text(operand)

    def index_item(self, operand: ir.Operand) -> str:
        """One item of a tuple between brackets: a tuple in it keeps its parentheses."""
        match operand:
            case ir.Slice() | ir.Const(slice()):
                return self.index(operand)
        return self.text(operand)

    def _slice(self, start: ir.Operand, stop: ir.Operand, step: ir.Operand) -> str:
        operands = (start, stop) if _is_none(step) else (start, stop, step)
        parts = ["" if _is_none(part) else self.text(part) for part in operands]
        if all(_BOUND.fullmatch(part) for part in parts):
            return ":".join(parts)
        return " : ".join(parts).strip().replace(":  :", "::")

    def place(self, base: Expression, path: Iterable[ir.Index | ir.View]) -> Expression:
        """`base` followed by the steps of a path."""
        for step in path:
            match step:
                case ir.Index(ir.Const(name), attribute=True):
                    base = Expression(f"{_receiver(base)}.{name}")
                case ir.Index(index):
                    base = Expression(f"{_receiver(base)}[{self.index(index)}]")
                case ir.View(fn, args, kwargs):
                    base = self._viewed(base, fn, args, kwargs)
        return base

    def _viewed(
        self,
        base: Expression,
        fn: Any,
        args: tuple[ir.Operand, ...],
        kwargs: tuple[tuple[str, ir.Operand], ...],
    ) -> Expression:
        if fn is np.transpose and not args and not kwargs:
            return Expression(f"{_receiver(base)}.T")
        holder = ir.Var()
        inner = Expressions(
            lambda var: base.text if var is holder else self._name(var),
            self._namespace,
            self._folded,
        )
        return inner.operation(ir.Apply(ir.NOWHERE, (), fn, (holder, *args), kwargs))

    # ------------------------------------------------------------ operations

    def operation(self, op: ir.Operation) -> Expression:
        """The operation as an expression: a call, a read, a `Pop` or a small `If`."""
        match op:
            case ir.Apply():
                return self._apply(op)
            case ir.Load(base=base, path=path):
                return self.place(self.operand(base), path)
            case ir.If():
                return self._conditional(op)
            case ir.Pop(base=base):
                return Expression(f"{self.operand(base).text}.pop()")
            case ir.Call(function=function, args=args):
                return self._call(function, args)
        raise AssertionError(f"{type(op).__name__} is not an expression")

    def _apply(self, op: ir.Apply) -> Expression:
        fn, args, kwargs = op.fn, op.args, op.kwargs
        if has_operator(fn) and not kwargs:
            return self._operator(fn, args)
        if is_identity(fn) or is_unpacking(fn):
            return self.operand(args[0])
        if fn is getattr and len(args) == 2 and isinstance(args[1], ir.Const):
            owner = _receiver(self.operand(args[0]))
            return Expression(f"{owner}.{args[1].value}")
        attribute = _attribute(op)
        if attribute:
            return Expression(f"{_receiver(self.operand(args[0]))}.{attribute}")
        if op.adjoint:
            kwargs = _without_defaults(fn, kwargs)
        name = _method_name(op)
        if name:
            owner = _receiver(self.operand(args[0]))
            return self._call(f"{owner}.{name}", args[1:], kwargs)
        called = isinstance(fn, types.FunctionType) and fn.__name__ == "__call__"
        if called or isinstance(fn, ir.CallValue):
            function = _receiver(self.operand(args[0]))
            return self._call(function, args[1:], kwargs)
        plain = _PLAIN_FUNCTIONS.get(id(fn))
        return self._call(plain or self._namespace.spell(fn), args, kwargs)

    def _call(
        self,
        function: str,
        args: tuple[ir.Operand, ...],
        kwargs: tuple[tuple[str, ir.Operand], ...] = (),
    ) -> Expression:
        texts = [self.text(arg) for arg in args]
        texts += [f"{key}={self._named_argument(key, value)}" for key, value in kwargs]
        return Expression(f"{function}({', '.join(texts)})")

    def _named_argument(self, key: str, value: ir.Operand) -> str:
        if key == "dtype" and isinstance(value, ir.Const):
            if isinstance(value.value, np.dtype) and value.value.kind in "iufc":
                return self._namespace.spell(value.value.type)
        return self.text(value)

    def _operator(self, fn: Any, args: tuple[ir.Operand, ...]) -> Expression:
        if fn is operator.getitem:
            return self.place(self.operand(args[0]), (ir.Index(args[1]),))
        if fn is operator.not_:
            return self.negation(args[0])
        if fn is operator.contains:
            return self._compared(args[1], "in", args[0])
        if fn in PREFIX:
            sign = PREFIX[fn]
            if fn is operator.neg and self._is_real_product(args[0]):
                # `-(a * b)` and `-a * b` are the same number.
                product = self.operand(args[0])
                if product.level == PRODUCT and product.text[0] not in "+-(":
                    return Expression(f"-{self._without_bare_power(args[0])}", PRODUCT)
            operand = self.operand(args[0])
            inner = operand.at(UNARY)
            # `--x` would be read as a mistake, and `-x**2` as another number.
            apart = inner[0] in "+-" or operand.level == POWER
            return Expression(f"{sign}({inner})" if apart else sign + inner, UNARY)
        sign, level = BINARY[fn]
        if level == COMPARISON:
            return self._compared(args[0], sign, args[1])
        left, right = map(self.operand, args)
        if level == POWER:  # binds to the right, and tighter than a sign on its left
            base, power = left.at(PRIMARY), right.at(UNARY)
            simple = _SIMPLE.fullmatch(base) and _SIMPLE.fullmatch(power)
            sign = "**" if simple else " ** "
            return Expression(f"{base}{sign}{power}", level)
        return Expression(f"{left.at(level)} {sign} {right.at(level + 1)}", level)

    def _without_bare_power(self, product: ir.Operand) -> str:
        """The text of a product, its first factor in parentheses if it is a power."""
        first, text = product, self.text(product)
        while isinstance(first, ir.Var) and first in self._folded:
            op = self._folded[first]
            if not isinstance(op, ir.Apply):
                break
            if op.fn is operator.pow:
                power = self.text(first)
                return f"({power}){text.removeprefix(power)}"
            if op.fn not in (operator.mul, operator.truediv):
                break
            first = op.args[0]
        return text

    def _is_real_product(self, operand: ir.Operand) -> bool:
        """Whether an operand is written as a product or quotient of real numbers."""
        op = self._folded.get(operand) if isinstance(operand, ir.Var) else None
        if not isinstance(op, ir.Apply) or dtype_of(op.target.type) is None:
            return False
        real = np.dtype(dtype_of(op.target.type)).kind == "f"
        return real and (op.fn is operator.mul or op.fn is operator.truediv)

    def _compared(self, left: ir.Operand, sign: str, right: ir.Operand) -> Expression:
        first = self.operand(left).at(COMPARISON + 1)
        second = self.operand(right).at(COMPARISON + 1)
        return Expression(f"{first} {sign} {second}", COMPARISON)

    def negation(self, operand: ir.Operand) -> Expression:
        """`not operand`, or what people write instead: `x is not None`."""
        op = self._folded.get(operand) if isinstance(operand, ir.Var) else None
        if isinstance(op, ir.Apply) and has_operator(op.fn):
            if op.fn is operator.not_ and is_boolean(op.args[0], self._folded):
                return self.operand(op.args[0])
            if op.fn in _NEGATED:
                left, right = op.args
                if op.fn is operator.contains:
                    left, right = right, left
                return self._compared(left, _NEGATED[op.fn], right)
        return Expression(f"not {self.operand(operand).at(NOT)}", NOT)

    def _conditional(self, op: ir.If) -> Expression:
        """`a if c else b`, or a short-circuit where that has the same value."""
        cond, then, orelse = op.cond, op.then.results[0], op.orelse.results[0]
        boolean = is_boolean(cond, self._folded)
        if boolean and _is_constant(then, True) and _is_constant(orelse, False):
            return self.operand(cond)
        if boolean and _is_constant(then, False) and _is_constant(orelse, True):
            return self.negation(cond)
        test = self.operand(cond)
        if orelse is cond or (boolean and _is_constant(orelse, False)):
            return Expression(f"{test.at(AND)} and {self.operand(then).at(NOT)}", AND)
        if then is cond or (boolean and _is_constant(then, True)):
            return Expression(f"{test.at(OR)} or {self.operand(orelse).at(AND)}", OR)
        text = f"{self.operand(then).at(OR)} if {test.at(OR)} else {self.text(orelse)}"
        return Expression(text, CONDITIONAL)


# What black writes the colon of a slice without spaces around.
_BOUND = re.compile(r"-?\w*")

# What black writes a power of without spaces: numbers, names and attributes.
_SIMPLE = re.compile(r"-?\d[\w.]*|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _quoted(text: str) -> str:
    """A string literal in double quotes, if that needs no more escapes."""
    prefix, quote, body = text[: text.index(text[-1])], text[-1], text[:-1]
    body = body[len(prefix) + 1 :]
    return text if quote == '"' or '"' in body else f'{prefix}"{body}"'


def _number(text: str) -> Expression:
    return Expression(text, UNARY if text[0] == "-" else PRIMARY)


def _tuple(texts: list[str]) -> Expression:
    return Expression(f"({_commas(texts)})")


def _commas(texts: Iterable[str]) -> str:
    """The items of a tuple; that of a single one ends in a comma."""
    listed = list(texts)
    return f"{listed[0]}," if len(listed) == 1 else ", ".join(listed)


def _receiver(owner: Expression) -> str:
    """The owner of an attribute or a subscript: `2.real` would be misread."""
    text = owner.at(PRIMARY)
    return f"({text})" if text[0].isdigit() else text


def _is_none(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and operand.value is None


def _is_constant(operand: ir.Operand, value: bool) -> bool:
    return isinstance(operand, ir.Const) and operand.value is value


_ATTRIBUTES = {id(np.shape): "shape", id(np.size): "size", id(np.ndim): "ndim"}


def _attribute(op: ir.Apply) -> str:
    """The attribute of an array that a call is written with, or ""."""
    if len(op.args) != 1 or op.kwargs or not isinstance(op.args[0], ir.Var):
        return ""
    kind = op.args[0].type
    if not isinstance(kind, Array) or not kind.ndim:
        return ""
    return "T" if op.fn is np.transpose else _ATTRIBUTES.get(id(op.fn), "")


def _without_defaults(
    fn: Any, kwargs: tuple[tuple[str, ir.Operand], ...]
) -> tuple[tuple[str, ir.Operand], ...]:
    """Named arguments without those that say what is so anyway."""

    def says_nothing(key: str, value: ir.Operand) -> bool:
        if not isinstance(value, ir.Const):
            return False
        if key == "keepdims":
            return value.value is False
        return value.value is None and key in _none_by_default(fn)

    return tuple(pair for pair in kwargs if not says_nothing(*pair))


@functools.cache
def _none_by_default(fn: Any) -> frozenset[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(p.name for p in parameters if p.default is None)


def _method_name(op: ir.Apply) -> str:
    """The method that a call is written with, or "" for a function."""
    if op.fn is np.copy and len(op.args) == 1 and not op.kwargs:
        # The compiler's own copies; the layout of the user's is the user's choice.
        made = op.adjoint or op.span is ir.NOWHERE
        owner = op.args[0]
        if made and isinstance(owner, ir.Var) and isinstance(owner.type, Array):
            return "copy" if owner.type.ndim else ""
    if isinstance(op.fn, ir.Method):
        return op.fn.name
    # Methods of ndarray and str, as `np.ndarray.astype`, have no other way.
    unbound = isinstance(
        op.fn, (types.MethodDescriptorType, types.WrapperDescriptorType)
    )
    if (op.style == "method" or unbound) and op.args:
        name = str(op.fn.__name__)
        return _METHOD_NAMES.get(name, name)
    return ""


# ---------------------------------------------------------------- stages


def print_module(module: ir.Module) -> str:
    """All functions of a module, as `print_function` shows them."""
    return "\n\n".join(map(print_function, module.functions))


def print_function(function: ir.Function) -> str:
    """The function in SSA form, one operation a line.

    Examples
    --------
    >>> x, y = ir.Var("x"), ir.Var("x")
    >>> square = ir.Apply(ir.NOWHERE, (y,), operator.mul, (x, x))
    >>> body = ir.Block((square,), (y,))
    >>> print(print_function(ir.Function("f", (ir.Param("x", x),), body, ir.NOWHERE)))
    def f(%x):
        %x.1 = %x * %x
        return %x.1
    <BLANKLINE>
    """
    return _StagePrinter().function(function)


class _StagePrinter:
    def __init__(self) -> None:
        self._names: dict[ir.Var, str] = {}
        self._versions: dict[str, int] = {}
        self._lines: list[str] = []
        self._expressions = Expressions(self._name, Namespace(), {})

    def _name(self, var: ir.Var) -> str:
        """`%x`, `%x.1`, ... in the order of appearance; a temporary is `%1`."""
        if var not in self._names:
            version = self._versions.get(var.name, 0)
            self._versions[var.name] = version + 1
            if not var.name:
                self._names[var] = f"%{version + 1}"
            else:
                self._names[var] = (
                    f"%{var.name}.{version}" if version else f"%{var.name}"
                )
        return self._names[var]

    def _text(self, operand: ir.Operand) -> str:
        if operand is ir.UNDEFINED:
            return "undefined"
        return self._expressions.text(operand)

    def _all(self, operands: Iterable[ir.Operand]) -> str:
        return ", ".join(map(self._text, operands))

    def function(self, function: ir.Function) -> str:
        params = ", ".join(map(self._param, function.params))
        self._line(0, f"def {function.name}({params}):")
        self._block(function.body, 1, "return")
        return "\n".join(self._lines) + "\n"

    def _param(self, param: ir.Param) -> str:
        if isinstance(param.tree, ir.Var):
            return self._name(param.tree)
        return f"{param.name}={self._text(param.tree)}"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _block(self, block: ir.Block, depth: int, keyword: str = "yield") -> None:
        shown = ""
        for op in block.ops:
            if op.adjoint and op.span.statement != shown:
                shown = op.span.statement
                self._line(depth, f"# {shown}")
            self._operation(op, depth)
        if block.results:
            self._line(depth, f"{keyword} {self._all(block.results)}")
        elif not block.ops:
            self._line(depth, "pass")

    def _operation(self, op: ir.Operation, depth: int) -> None:
        text = self._head(op)
        found = self._all(ir.targets(op))
        self._line(depth, f"{found} = {text}" if found else text)
        match op:
            case ir.If(then=then, orelse=orelse):
                self._block(then, depth + 1)
                self._line(depth, "else:")
                self._block(orelse, depth + 1)
            case ir.For(body=body) | ir.With(body=body):
                self._block(body, depth + 1)
            case ir.While(cond=cond, body=body):
                self._block(cond, depth + 1)
                self._line(depth, "do:")
                self._block(body, depth + 1)

    def _head(self, op: ir.Operation) -> str:
        write = self._text
        match op:
            case ir.Apply() | ir.Load():
                return self._expressions.operation(op).text
            case ir.Store(base=base, path=path, value=value, mode=mode):
                place = self._expressions.place(self._expressions.operand(base), path)
                return f"store {place.text} {'+=' if mode == 'add' else '='} {write(value)}"
            case ir.Append(base=base, value=value):
                return f"append {write(base)}, {write(value)}"
            case ir.Pop(base=base):
                return f"pop {write(base)}"
            case ir.Effect(kind="call", fn=fn, args=args, kwargs=kwargs):
                call = ir.Apply(op.span, (), fn, args, kwargs)
                return self._expressions.operation(call).text
            case ir.Effect(kind=kind, args=args):
                return f"{kind} {self._all(args)}"
            case ir.Call(function=function, args=args):
                return f"call {function}({self._all(args)})"
            case ir.If(cond=cond):
                return f"if {write(cond)}:"
            case ir.With(context=context):
                return f"with {write(context)}:"
            case ir.For(index=index, start=start, stop=stop, step=step):
                span = f"range({self._all((start, stop, step))})"
                span = f"reversed({span})" if op.reverse else span
                return f"for {write(index)} in {span}{self._carried(op)}:"
            case ir.While():
                return f"while{self._carried(op)}:"

    def _carried(self, op: ir.For | ir.While) -> str:
        pairs = zip(op.params, op.inits, strict=True)
        carried = ", ".join(f"{self._name(p)} = {self._text(i)}" for p, i in pairs)
        text = f", {carried}" if carried else ""
        return f"{text}, breaks" if op.breaks else text
