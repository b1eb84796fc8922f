"""Attributes: of arrays, of containers, of modules, of the user's objects."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import operator
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.infer import is_sparse
from autograd_compiler.frontend import calls, classes, distributions, names
from autograd_compiler.frontend.values import (
    Bound,
    Capture,
    Items,
    MethodOf,
    Object,
    Ref,
    Super,
    Value,
)
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import (
    Array,
    Bottom,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    Type,
    Unknown,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

# Attributes of arrays that are functions of the array: same rule, one spelling.
PROPERTIES: dict[str, Any] = {
    "T": np.transpose,
    "mT": np.matrix_transpose,
    "real": np.real,
    "imag": np.imag,
}
# Fields of the named tuples that NumPy gives: no other tuple has these attributes.
RESULT_FIELDS = {
    "eigenvalues": 0,
    "eigenvectors": 1,
    "sign": 0,
    "logabsdet": 1,
    "Q": 0,
    "R": 1,
    "U": 0,
    "S": 1,
    "Vh": 2,
}
# What a class makes of itself when it is asked for by an object.
_DESCRIPTORS = (
    types.FunctionType,
    property,
    staticmethod,
    classmethod,
    functools.cached_property,
    functools.partialmethod,
)
_MISSING = object()
FACTS = ("shape", "ndim", "size", "dtype", "itemsize", "nbytes")
# Attributes of arrays that are not methods and say nothing of their numbers.
FACTS_OF_MEMORY = {
    name
    for name in dir(np.ndarray)
    if not callable(getattr(np.ndarray, name)) and not name.startswith("__")
}


def attribute(low: Lowering, owner: Value, name: str, node: ast.AST) -> Value:
    """`owner.name`."""
    match owner:
        case ir.Const(value):
            return _of_constant(low, value, name, node)
        case Object():
            return _of_object(low, owner, name, node)
        case Ref():
            content = low.content(owner)
            if isinstance(content, Items) and content.form.kind == "record":
                return _field(low, owner, content.form, content.items, name, node)
            return MethodOf(owner, name)
        case ir.Pack(items, form):
            if form.kind == "record":
                return _field(low, owner, form, items, name, node)
            if form.kind == "tuple" and RESULT_FIELDS.get(name, 9) < len(items):
                return low.read(items[RESULT_FIELDS[name]])
            return MethodOf(owner, name)
        case ir.Var():
            return _of_variable(low, owner, name, node)
        case Super():
            return classes.inherited(low, owner, name, node)
    if isinstance(owner, Bound) and name == "__call__":
        return owner
    if isinstance(owner, Bound) and isinstance(owner.function, Object):
        return MethodOf(owner, name)
    raise low.refuse(node, f"the attribute `{name}` of this value is not known here")


def _of_variable(low: Lowering, owner: ir.Var, name: str, node: ast.AST) -> Value:
    kind = owner.type
    if isinstance(kind, (Array, Scalar, Unknown, Bottom)):
        if name in FACTS:
            return _fact(low, owner, kind, name)
        if name == "T" and isinstance(kind, Scalar):
            return owner
        if name in PROPERTIES:
            return _property(low, owner, kind, name)
        if name == "flat":
            raise low.refuse(node, "`.flat`", "write `x.ravel()`, or index the array")
        if isinstance(kind, Array) and name in FACTS_OF_MEMORY:
            raise low.refuse(node, f"the array attribute `.{name}` is not supported")
        if name == "at" and isinstance(kind, Unknown):
            raise low.refuse(node, "`.at` is not known here")
        return MethodOf(owner, name)
    if isinstance(kind, (ListOf, DictOf)):
        return MethodOf(owner, name)
    if isinstance(kind, Opaque) and not callable(getattr(kind.cls, name, None)):
        return low.apply(getattr, low.fresh(owner), ir.Const(name))
    return MethodOf(owner, name)


def _fact(low: Lowering, owner: ir.Var, kind: Type, name: str) -> Value:
    var = low.fresh(owner)
    if name == "ndim" and isinstance(kind, (Array, Scalar)):
        return ir.Const(kind.ndim if isinstance(kind, Array) else 0)
    if name == "dtype" and isinstance(kind, (Array, Scalar)):
        return ir.Const(np.dtype(kind.dtype))
    if name == "shape" and isinstance(kind, Scalar):
        return ir.Pack(())
    return low.apply(getattr, var, ir.Const(name))


def _property(low: Lowering, owner: ir.Var, kind: Type, name: str) -> Value:
    var = low.fresh(owner)
    if name == "T" and isinstance(kind, Array) and kind.ndim < 2:
        return var
    # Only `.T` has a spelling of its own in generated code.
    style = "method" if name == "T" else "function"
    return low.apply(PROPERTIES[name], var, style=style)


def _field(
    low: Lowering,
    owner: Value,
    form: ir.Form,
    items: tuple[Any, ...],
    name: str,
    node: ast.AST,
) -> Value:
    if name in form.keys:
        return low.read(items[form.keys.index(name)])
    cls = form.cls
    assert cls is not None
    if name in classes.NAMED_TUPLE and hasattr(cls, "_fields"):
        return Bound(ir.Const(classes.NAMED_TUPLE[name]), (owner,))
    if name == "__class__":
        return ir.Const(cls)
    found = inspect.getattr_static(cls, name, _MISSING)
    if found is _MISSING:
        method = classes.special(low, owner, "__getattr__")
        if method is not None:
            return calls.call(low, method, (ir.Const(name),), {}, node)
        raise low.failure(
            node, AttributeError(f"`{cls.__name__}` has no attribute `{name}`")
        )
    return of_class(low, owner, cls, found, name, node)


def of_class(
    low: Lowering, owner: Value, cls: type, found: Any, name: str, node: ast.AST
) -> Value:
    """What a class has under a name, bound to an object (or to a class itself)."""
    of_instance = not (isinstance(owner, ir.Const) and isinstance(owner.value, type))
    if isinstance(found, types.FunctionType):
        return Bound(ir.Const(found), (owner,)) if of_instance else ir.Const(found)
    if isinstance(found, property) and found.fget is not None:
        return calls.call(low, ir.Const(found.fget), (owner,), {}, node)
    if isinstance(found, functools.cached_property):
        return calls.call(low, ir.Const(found.func), (owner,), {}, node)
    if isinstance(found, functools.partialmethod):
        bound = tuple(map(ir.Const, found.args))
        named = tuple((key, ir.Const(item)) for key, item in found.keywords.items())
        return Bound(ir.Const(found.func), (owner, *bound), named)
    if isinstance(found, staticmethod):
        return ir.Const(found.__func__)
    if isinstance(found, classmethod):
        kind = classes.class_of(low, owner) if of_instance else None
        return Bound(ir.Const(found.__func__), (ir.Const(kind or cls),))
    capture = Capture(cls.__name__, cls, id(cls)).step("attribute", name)
    return names.captured(low, capture, getattr(cls, name, found), node)


def _of_constant(low: Lowering, value: Any, name: str, node: ast.AST) -> Value:
    if isinstance(value, (float, int, complex, np.generic)) and not isinstance(
        value, bool
    ):
        if name in ("shape", "ndim", "dtype", "size", "real", "imag", "T"):
            return ir.Const(getattr(np.asarray(value)[()], name))
        return MethodOf(ir.Const(value), name)
    if isinstance(value, str):
        return MethodOf(ir.Const(value), name)
    found = _found(low, value, f"`{getattr(value, '__name__', value)}`", name, node)
    if isinstance(value, types.ModuleType) and not low.in_rule:
        capture = Capture(name, vars(value), id(vars(value)))
        if name in vars(value):
            if isinstance(found, (float, int)) and _is_library(value):
                return ir.Const(found)  # np.pi, math.e
            return names.captured(low, capture, found, node)
    if name == "_make" and hasattr(value, "_fields") and isinstance(value, type):
        return Bound(ir.Const(classes.make), (ir.Const(value),))
    if isinstance(value, type):
        static = inspect.getattr_static(value, name, None)
        if isinstance(static, classmethod) and not calls.is_library(value):
            return Bound(ir.Const(static.__func__), (ir.Const(value),))
    if isinstance(value, type) and isinstance(found, (np.ndarray, float, int)):
        if not isinstance(found, bool):
            root = Capture(value.__name__, value, id(value))
            return names.captured(low, root.step("attribute", name), found, node)
    return ir.Const(found)


def _identity(capture: Capture) -> tuple[Any, ...]:
    return (capture.identity, capture.name, capture.path)


def _found(low: Lowering, value: Any, whose: str, name: str, node: ast.AST) -> Any:
    try:
        return getattr(value, name)
    except AttributeError:
        raise low.refuse(
            node, f"{whose} has no attribute `{name}`", _similar(name, dir(value))
        ) from None


def _similar(name: str, names: list[str]) -> str:
    found = difflib.get_close_matches(name, names, 1)
    return f"did you mean `{found[0]}`?" if found else "give it that attribute first"


def _is_library(module: types.ModuleType) -> bool:
    return module.__name__.split(".")[0] in ("numpy", "math", "scipy", "cmath", "sys")


def _of_object(low: Lowering, owner: Object, name: str, node: ast.AST) -> Value:
    value = owner.value
    if is_sparse(value) and name == "dot":
        return Bound(ir.Const(operator.matmul), (owner,))
    if is_sparse(value) and name in ("T", "shape", "ndim", "dtype"):
        return low.apply(getattr, calls.capture_whole(low, owner), ir.Const(name))
    found = inspect.getattr_static(type(value), name, None)
    if isinstance(found, types.FunctionType):
        rule = rule_of(types.MethodType(found, value))
        if rule is not None:  # `scipy.stats.norm.pdf`
            low.guards[_identity(owner.capture)] = (owner.capture, value)
            return ir.Const(rule.operator)
        frozen = distributions.captured(low, owner, node)
        if frozen is not None:
            return MethodOf(frozen, name)
    instance = getattr(value, "__dict__", {})
    if isinstance(found, property) or (found is not None and name not in instance):
        if isinstance(found, _DESCRIPTORS):
            return of_class(low, owner, type(value), found, name, node)
    whose = f"`{type(value).__name__}` object"
    attribute_value = _found(low, value, whose, name, node)
    if callable(attribute_value) and not isinstance(
        attribute_value, (types.FunctionType, type)
    ):
        if isinstance(attribute_value, (types.BuiltinMethodType, types.MethodType)):
            return MethodOf(owner, name)
    return names.captured(
        low, owner.capture.step("attribute", name), attribute_value, node
    )
