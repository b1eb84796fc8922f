"""Objects of the user's classes that are made inside of the function.

An object is a cell with its attributes, as a dict is a cell with its items: the class
is known when compiling, so methods, properties, `super()` and operators such as
`__add__` are calls of the user's functions.
"""

from __future__ import annotations

import abc
import ast
import dataclasses
import inspect
import operator
import sys
import types
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.frontend import attributes, calls, ways
from autograd_compiler.frontend.handlers import Keywords, handles
from autograd_compiler.frontend.values import (
    Bound,
    Items,
    Object,
    Ref,
    Super,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

BINARY: dict[Any, str] = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.truediv: "truediv",
    operator.floordiv: "floordiv",
    operator.mod: "mod",
    operator.pow: "pow",
    operator.matmul: "matmul",
    operator.and_: "and",
    operator.or_: "or",
    operator.xor: "xor",
    operator.lshift: "lshift",
    operator.rshift: "rshift",
}
# Comparisons, and what the other operand is asked when the first does not know.
COMPARE: dict[Any, tuple[str, str]] = {
    operator.lt: ("__lt__", "__gt__"),
    operator.le: ("__le__", "__ge__"),
    operator.gt: ("__gt__", "__lt__"),
    operator.ge: ("__ge__", "__le__"),
    operator.eq: ("__eq__", "__eq__"),
    operator.ne: ("__ne__", "__ne__"),
}
UNARY: dict[Any, str] = {
    operator.neg: "__neg__",
    operator.pos: "__pos__",
    operator.invert: "__invert__",
    abs: "__abs__",
    len: "__len__",
    float: "__float__",
    int: "__int__",
    bool: "__bool__",
    round: "__round__",
}


# ---------------------------------------------------------------- what is known


def class_of(low: Lowering, value: Value) -> type | None:
    """The class of an object of the user; None for all that is none."""
    match value:
        case Object(owner):
            return type(owner)
        case ir.Pack(form=form):
            return form.cls
        case Ref(cell):
            content = low.state.cells[cell]
            return content.form.cls if isinstance(content, Items) else None
    return None


def special(low: Lowering, value: Value, name: str) -> Value | None:
    """The method that Python calls for an operator, bound to the object."""
    cls = class_of(low, value)
    if cls is None or not is_plain(cls):
        return None
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, types.FunctionType):
        return Bound(ir.Const(found), (value,))
    return None


def _is_made_by_dataclass(function: Any) -> bool:
    """Whether a method has no source of its own: it compares or shows the fields."""
    return isinstance(function, types.FunctionType) and (
        function.__code__.co_filename == "<string>"
        or function.__module__ == "dataclasses"
        or hasattr(function, "__wrapped__")
        and function.__wrapped__.__module__ == "dataclasses"
    )


# ---------------------------------------------------------------- operators


def binary(
    low: Lowering, fn: Any, left: Value, right: Value, node: ast.AST
) -> Value | None:
    """`left fn right` by the methods of their classes, if either has one."""
    if fn not in BINARY:
        return None
    name = BINARY[fn]
    attempts = [(left, right, f"__{name}__"), (right, left, f"__r{name}__")]
    first, second = class_of(low, left), class_of(low, right)
    if first and second and first is not second and issubclass(second, first):
        attempts.reverse()
    return _first_answer(low, attempts, node)


def in_place(
    low: Lowering, fn: Any, target: Value, value: Value, node: ast.AST
) -> Value | None:
    """`target fn= value` by `__iadd__` and its kin."""
    if fn not in BINARY:
        return None
    return _first_answer(low, [(target, value, f"__i{BINARY[fn]}__")], node)


def compare(
    low: Lowering, fn: Any, left: Value, right: Value, node: ast.AST
) -> Value | None:
    """A comparison by the methods of a class, if either operand has one."""
    if fn not in COMPARE:
        return None
    name, reflected = COMPARE[fn]
    first, second = class_of(low, left), class_of(low, right)
    if first is None and second is None:
        return None
    attempts = [(left, right, name), (right, left, reflected)]
    answer = _first_answer(low, attempts, node)
    if answer is None and fn is operator.ne:
        equal = compare(low, operator.eq, left, right, node)
        if equal is not None:
            return low.apply(operator.not_, low.operand(equal, node))
    if answer is None and fn in (operator.eq, operator.ne) and _is_cell(left, right):
        same = isinstance(right, Ref) and left.cell == right.cell  # type: ignore[union-attr]
        return ir.Const(same == (fn is operator.eq))
    return answer


def _is_cell(left: Value, right: Value) -> bool:
    return isinstance(left, Ref) and isinstance(right, (Ref, ir.Const))


def _first_answer(
    low: Lowering, attempts: list[tuple[Value, Value, str]], node: ast.AST
) -> Value | None:
    for owner, other, name in attempts:
        method = special(low, owner, name)
        if method is None:
            continue
        assert isinstance(method, Bound) and isinstance(method.function, ir.Const)
        if _is_made_by_dataclass(method.function.value):
            answer = _compare_fields(low, name, owner, other, node)
        else:
            answer = calls.call(low, method, (other,), {}, node)
        if not (isinstance(answer, ir.Const) and answer.value is NotImplemented):
            return answer
    return None


def _compare_fields(
    low: Lowering, name: str, owner: Value, other: Value, node: ast.AST
) -> Value:
    """`==` of a dataclass: of the tuples of its fields, if the classes are the same."""
    cls = class_of(low, owner)
    if name != "__eq__" or cls is not class_of(low, other) or cls is None:
        return ir.Const(NotImplemented)
    equal: Value = ir.Const(True)
    for item in dataclasses.fields(cls):
        if item.compare:
            both = [
                low.operand(attributes.attribute(low, value, item.name, node), node)
                for value in (owner, other)
            ]
            same = low.apply(operator.eq, *both)
            equal = low.apply(operator.and_, low.operand(equal), same)
    return equal


def unary(low: Lowering, fn: Any, value: Value, node: ast.AST) -> Value | None:
    """`-value`, `abs(value)`, `len(value)` by a method of its class."""
    name = UNARY.get(fn)
    method = special(low, value, name) if name is not None else None
    return calls.call(low, method, (), {}, node) if method is not None else None


def truth(low: Lowering, value: Value) -> Value | None:
    """What `if value:` asks an object of the user."""
    for fn in (bool, len):
        answer = unary(low, fn, value, ast.Pass())
        if answer is not None:
            return answer
    return None


# ---------------------------------------------------------------- containers


def item(low: Lowering, value: Value, index: Value, node: ast.AST) -> Value | None:
    """`value[index]` by `__getitem__`."""
    method = special(low, value, "__getitem__")
    return calls.call(low, method, (index,), {}, node) if method is not None else None


def store_item(
    low: Lowering, owner: Value, index: Value, value: Value, node: ast.AST
) -> bool:
    """`owner[index] = value` by `__setitem__`; whether there is one."""
    method = special(low, owner, "__setitem__")
    if method is None:
        return False
    calls.call(low, method, (index, value), {}, node)
    return True


def contains(low: Lowering, value: Value, thing: Value, node: ast.AST) -> Value | None:
    """`thing in value` by `__contains__`."""
    method = special(low, value, "__contains__")
    return calls.call(low, method, (thing,), {}, node) if method is not None else None


def iterated(low: Lowering, value: Value, node: ast.AST) -> Value:
    """What an object of the user gives to go through; other values as they are."""
    method = special(low, value, "__iter__")
    if method is not None:
        return calls.call(low, method, (), {}, node)
    cls = class_of(low, value)
    if cls is None or issubclass(cls, tuple) or isinstance(value, Object):
        return value
    if special(low, value, "__getitem__") is not None:
        raise low.refuse(
            node,
            f"`{cls.__name__}` is gone through by its `__getitem__`",
            "give it an `__iter__`, or loop over `range(len(...))`",
        )
    return value


# ---------------------------------------------------------------- attributes


def set_attribute(
    low: Lowering, owner: Value, name: str, value: Value, node: ast.AST
) -> bool:
    """`owner.name = value` for an object made here; whether it is one."""
    cls = class_of(low, owner)
    if not isinstance(owner, Ref) or cls is None:
        return False
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, property):
        if found.fset is None:
            raise low.failure(node, AttributeError(f"`{name}` cannot be set"))
        calls.call(low, ir.Const(found.fset), (owner, value), {}, node)
        return True
    method = special(low, owner, "__setattr__")
    if method is not None and not _is_made_by_dataclass(method.function.value):  # type: ignore[union-attr]
        calls.call(low, method, (ir.Const(name), value), {}, node)
        return True
    _put(low, owner, name, value)
    return True


def _put(low: Lowering, owner: Ref, name: str, value: Value) -> None:
    content = low.content(owner)
    assert isinstance(content, Items)
    keys, items = list(content.form.keys), list(content.items)
    if name in keys:
        items[keys.index(name)] = value
    else:
        keys.append(name)
        items.append(value)
    form = ir.Form("record", tuple(keys), content.form.cls)
    low.state.cells[owner.cell] = Items(form, tuple(items))


@handles(object.__setattr__, setattr)
def _setattr(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    owner, name, value = args
    known = constant_value(low.operand(name, node))
    if known is None or not isinstance(owner, Ref) or class_of(low, owner) is None:
        raise low.refuse(
            node,
            "`setattr` of this value or name",
            "write `x.name = value`, for an object that the function has made",
        )
    _put(low, owner, known.value, value)
    return ir.Const(None)


def inherited(low: Lowering, value: Super, name: str, node: ast.AST) -> Value:
    """`super().name`: what the classes after this one have."""
    line = value.instance.__mro__
    for cls in line[line.index(value.cls) + 1 :]:
        if name not in vars(cls):
            continue
        found = vars(cls)[name]
        if cls is object:
            return Bound(ir.Const(_of_object), (ir.Const(name), value.owner))
        return attributes.of_class(low, value.owner, cls, found, name, node)
    raise low.refuse(node, f"no class above has `{name}`")


def _of_object(name: str, owner: Any, *args: Any) -> None:
    """`super().__init__()` and `super().__setattr__(name, value)` of `object`."""


@handles(_of_object)
def _object_method(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    name, owner, *given = args
    if name.value == "__setattr__" and isinstance(owner, Ref):
        known = constant_value(low.operand(given[0], node))
        if known is not None:
            _put(low, owner, known.value, given[1])
            return ir.Const(None)
    if name.value in ("__init__", "__init_subclass__") and not given:
        return ir.Const(None)
    raise low.refuse(node, f"`super().{name.value}` of `object` here")


@handles(super)
def _super(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if args:
        cls, owner = args
    else:
        frame = low.frame
        while frame is not None and "__class__" not in frame.cells and frame.parent:
            frame = frame.parent
        if frame is None or "__class__" not in frame.cells or frame.first is None:
            raise low.refuse(node, "`super()` outside of a method")
        cls = ir.Const(frame.cells["__class__"].cell_contents)
        names = low.state.names if frame is low.frame else frame.names
        owner = names[frame.first]
    if isinstance(owner, ir.Const) and isinstance(owner.value, type):
        return Super(owner, cls.value, owner.value)
    kind = class_of(low, owner)
    if not isinstance(cls, ir.Const) or kind is None:
        raise low.refuse(node, "`super` of this value")
    return Super(owner, cls.value, kind)


@handles(type)
def _type(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if len(args) != 1:
        raise low.refuse(node, "a class cannot be made in a differentiated function")
    cls = class_of(low, args[0])
    if cls is not None:
        return ir.Const(cls)
    value: Any = low.content(args[0]) if isinstance(args[0], Ref) else args[0]
    if isinstance(value, (Items, ir.Pack)):
        return ir.Const({"list": list, "dict": dict}.get(value.form.kind, tuple))
    return low.apply(type, low.operand(args[0], node))


# ---------------------------------------------------------------- new objects


def construct(
    low: Lowering, cls: type, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    """`Point(x, y)`, as Python makes the object."""
    if issubclass(cls, BaseException):
        return low.apply(cls, *(low.operand(arg, node) for arg in args))
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _named_tuple(low, cls, args, kwargs, node)
    makes = inspect.getattr_static(cls, "__new__", None)
    outside = [base for base in cls.__mro__[:-1] if not is_plain(base)]
    if type(cls) not in _METACLASSES or makes is not object.__new__ or outside:
        raise low.refuse(
            node,
            f"objects of class `{cls.__name__}` cannot be made here",
            "make the object outside and pass it in, or use a dataclass",
        )
    made = low.new_ref(ir.Form("record", (), cls), ())
    init = inspect.getattr_static(cls, "__init__", None)
    if dataclasses.is_dataclass(cls) and _is_made_by_dataclass(init):
        _fill(low, made, cls, args, kwargs, node)
    elif isinstance(init, types.FunctionType):
        calls.call(low, ir.Const(init), (made, *args), kwargs, node)
    elif args or kwargs:
        raise low.failure(node, TypeError(f"{cls.__name__}() takes no arguments"))
    return made


_METACLASSES = (type, abc.ABCMeta)


def is_plain(cls: type) -> bool:
    """Whether a class is the user's, or adds nothing to the objects of its children."""
    module = cls.__module__.split(".")[0]
    if module in ("abc", "typing"):
        return True
    return module not in sys.stdlib_module_names and not calls.is_library(cls)


def _named_tuple(
    low: Lowering, cls: Any, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    fields = tuple(cls._fields)
    defaults = getattr(cls, "_field_defaults", {})
    given = dict(zip(fields, args, strict=False)) | kwargs
    missing = [f for f in fields if f not in given and f not in defaults]
    if missing or len(args) > len(fields) or set(given) - set(fields):
        raise low.refuse(node, f"`{cls.__name__}` takes {', '.join(fields)}")
    items = tuple(given.get(f, ir.Const(defaults.get(f))) for f in fields)
    return ir.Pack(items, ir.Form("record", fields, cls))


def _fill(
    low: Lowering,
    made: Ref,
    cls: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> None:
    """What the `__init__` does that `dataclass` writes."""
    specs = dataclasses.fields(cls)
    if len(specs) < len(cls.__dataclass_fields__):
        raise low.refuse(
            node,
            f"`{cls.__name__}` has fields for its class (`ClassVar`, `InitVar`)",
            "write an `__init__`, or keep to plain fields",
        )
    positional = [spec.name for spec in specs if spec.init and not spec.kw_only]
    if len(args) > len(positional):
        raise low.failure(
            node, TypeError(f"{cls.__name__}() takes {len(positional)} arguments")
        )
    given = dict(zip(positional, args, strict=False)) | kwargs
    names = {spec.name for spec in specs if spec.init}
    for name in given:
        if name not in names:
            raise low.refuse(node, f"`{cls.__name__}` has no field `{name}`")
    for spec in specs:
        if spec.name in given:
            _put(low, made, spec.name, given[spec.name])
        elif spec.default is not dataclasses.MISSING:
            _put(low, made, spec.name, _default(low, cls, spec, node))
        elif spec.default_factory is not dataclasses.MISSING:
            made_now = calls.call(low, ir.Const(spec.default_factory), (), {}, node)
            _put(low, made, spec.name, made_now)
        elif spec.init:
            raise low.refuse(node, f"`{cls.__name__}` needs a value for `{spec.name}`")
    after = special(low, made, "__post_init__")
    if after is not None:
        calls.call(low, after, (), {}, node)


def _default(low: Lowering, cls: type, spec: Any, node: ast.AST) -> Value:
    return attributes.of_class(low, ir.Const(cls), cls, spec.default, spec.name, node)


# ---------------------------------------------------------------- copies of records


def replaced(owner: Any, **changes: Any) -> Any:
    """`_replace` of a named tuple."""


@handles(replaced, dataclasses.replace)
def _replace(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    (owner,) = args
    cls = class_of(low, owner)
    if cls is None:
        raise low.refuse(node, "`replace` of what is no dataclass")
    names = (
        [spec.name for spec in dataclasses.fields(cls) if spec.init]
        if dataclasses.is_dataclass(cls)
        else list(cls._fields)  # type: ignore[attr-defined]
    )
    given = {
        name: attributes.attribute(low, owner, name, node)
        for name in names
        if name not in kwargs
    }
    return construct(low, cls, (), {**given, **kwargs}, node)


def as_dict(owner: Any) -> Any:
    """`_asdict` of a named tuple."""


@handles(as_dict, dataclasses.asdict)
def _as_dict(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    (owner,) = args
    items = _field_values(low, owner, node)
    return low.new_ref(ir.Form("dict", tuple(items)), tuple(items.values()))


@handles(dataclasses.astuple)
def _as_tuple(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return pack(tuple(_field_values(low, args[0], node).values()))


def _field_values(low: Lowering, owner: Value, node: ast.AST) -> dict[str, Value]:
    cls = class_of(low, owner)
    names: Any = getattr(cls, "_fields", None)
    if dataclasses.is_dataclass(cls):
        names = [spec.name for spec in dataclasses.fields(cls)]
    if names is None:
        raise low.refuse(node, "this value has no fields")
    found = {name: attributes.attribute(low, owner, name, node) for name in names}
    for name, value in found.items():
        if class_of(low, value) is not None and not hasattr(cls, "_fields"):
            raise low.refuse(
                node,
                f"the field `{name}` is an object, which is copied field by field here",
                "write the dict or tuple out",
            )
    return found


def make(cls: Any, items: Any) -> Any:
    """`_make` of a class of named tuples."""


@handles(make)
def _make(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    cls, items = args
    known = ways.known_items(low, items)
    if known is None:
        raise low.refuse(node, "`_make` of items that only run time knows")
    return construct(low, cls.value, tuple(map(low.read, known)), {}, node)


# Methods of named tuples, which have no source.
NAMED_TUPLE: dict[str, Any] = {"_replace": replaced, "_asdict": as_dict}
