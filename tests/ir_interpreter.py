"""Runs IR directly, operation by operation, as the emitted Python would.

Writes act in place on the one buffer that all versions are.  A write ends the life of
the version that it was given: a later read of it is an error of whoever made the IR.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler import ir

Environment = dict[ir.Var, Any]


def run(function: ir.Function, *args: Any, module: ir.Module | None = None) -> Any:
    """The result of a function for the given arguments."""
    env: Environment = {}
    for param, value in zip(function.params, args, strict=True):
        _bind(param.tree, value, env)
    results = _block(function.body, env, module)
    return results[0] if results else None


def _bind(tree: ir.Operand, value: Any, env: Environment) -> None:
    match tree:
        case ir.Var():
            env[tree] = value
        case ir.Pack(items, form):
            keys = form.keys or range(len(items))
            for key, item in zip(keys, items, strict=True):
                part = getattr(value, key) if form.kind == "record" else value[key]
                _bind(item, part, env)


def value_of(operand: ir.Operand, env: Environment) -> Any:
    match operand:
        case ir.Var():
            return env[operand]
        case ir.Const(value):
            return value
        case ir.Slice(start, stop, step):
            return slice(*(value_of(part, env) for part in (start, stop, step)))
        case ir.Pack(items, form):
            values = [value_of(item, env) for item in items]
            match form.kind:
                case "tuple":
                    return tuple(values)
                case "list":
                    return values
                case "dict":
                    return dict(zip(form.keys, values, strict=True))
            assert form.cls is not None
            return form.cls(**dict(zip(form.keys, values, strict=True)))
    raise AssertionError(operand)


def _values(operands: tuple[ir.Operand, ...], env: Environment) -> list[Any]:
    return [value_of(operand, env) for operand in operands]


def _block(block: ir.Block, env: Environment, module: ir.Module | None) -> list[Any]:
    for op in block.ops:
        _operation(op, env, module)
    return _values(block.results, env)


def _operation(op: ir.Operation, env: Environment, module: ir.Module | None) -> None:
    match op:
        case ir.Apply():
            _assign(op.targets, _call(op.fn, op.args, op.kwargs, env), env)
        case ir.Load():
            env[op.target] = _walk(env[op.base], op.path, env)
        case ir.Store():
            base, value = env[op.base], value_of(op.value, env)
            env[op.target] = _store(base, op, value, env)
            del env[op.base]
        case ir.Append():
            base, value = env[op.base], value_of(op.value, env)
            base.append(value)
            env[op.target] = base
            del env[op.base]
        case ir.Pop():
            base = env.pop(op.base)
            env[op.value], env[op.target] = base.pop(), base
        case ir.Effect():
            _effect(op, env)
        case ir.Call():
            assert module is not None
            (callee,) = (f for f in module.functions if f.name == op.function)
            result = run(callee, *_values(op.args, env), module=module)
            _assign(op.targets, result, env)
        case ir.If():
            chosen = op.then if value_of(op.cond, env) else op.orelse
            env.update(zip(op.targets, _block(chosen, env, module), strict=True))
        case ir.For():
            _for(op, env, module)
        case ir.While():
            _while(op, env, module)
        case ir.With():
            with value_of(op.context, env):
                results = _block(op.body, env, module)
            env.update(zip(op.targets, results, strict=True))


def _assign(targets: tuple[ir.Var, ...], result: Any, env: Environment) -> None:
    if len(targets) == 1:
        env[targets[0]] = result
    else:
        env.update(zip(targets, result, strict=True))


def _call(
    fn: Any,
    args: tuple[ir.Operand, ...],
    kwargs: tuple[tuple[str, ir.Operand], ...],
    env: Environment,
) -> Any:
    positional = _values(args, env)
    named = {key: value_of(value, env) for key, value in kwargs}
    if isinstance(fn, ir.Method):
        return getattr(positional[0], fn.name)(*positional[1:], **named)
    if isinstance(fn, ir.CallValue):
        return positional[0](*positional[1:], **named)
    return fn(*positional, **named)


def _walk(value: Any, path: ir.Path, env: Environment) -> Any:
    for step in path:
        match step:
            case ir.Index(index, attribute):
                key = value_of(index, env)
                value = getattr(value, key) if attribute else value[key]
            case ir.View(fn, args, kwargs):
                named = {name: value_of(operand, env) for name, operand in kwargs}
                value = fn(value, *_values(args, env), **named)
    return value


def _store(base: Any, op: ir.Store, value: Any, env: Environment) -> Any:
    if op.path and isinstance(op.path[-1], ir.Index):
        owner = _walk(base, op.path[:-1], env)
        key = value_of(op.path[-1].index, env)
        if op.path[-1].attribute:
            setattr(owner, key, value)
        elif op.mode == "set":
            owner[key] = value
        elif isinstance(owner, np.ndarray):
            np.add.at(owner, key, value)
        else:
            owner[key] = owner[key] + value
        return base
    view = _walk(base, op.path, env)
    if op.mode == "set":
        view[...] = value
    else:
        view += value
    return base


def _effect(op: ir.Effect, env: Environment) -> None:
    if op.kind == "assert":
        condition, *message = _values(op.args, env)
        assert condition, message[0] if message else None
    elif op.kind == "raise":
        raise value_of(op.args[0], env)
    else:
        _call(op.fn, op.args, op.kwargs, env)


def _for(op: ir.For, env: Environment, module: ir.Module | None) -> None:
    steps = range(*(value_of(part, env) for part in (op.start, op.stop, op.step)))
    carried = _values(op.inits, env)
    for index in reversed(steps) if op.reverse else steps:
        env[op.index] = index
        env.update(zip(op.params, carried, strict=True))
        results = _block(op.body, env, module)
        carried = results[op.breaks :]
        if op.breaks and results[0]:
            break
    env.update(zip(op.targets, carried, strict=True))


def _while(op: ir.While, env: Environment, module: ir.Module | None) -> None:
    carried = _values(op.inits, env)
    while True:
        env.update(zip(op.params, carried, strict=True))
        (goes_on,) = _block(op.cond, env, module)
        if not goes_on:
            break
        results = _block(op.body, env, module)
        carried = results[op.breaks :]
        if op.breaks and results[0]:
            break
    env.update(zip(op.targets, carried, strict=True))
