"""From the syntax tree to structured SSA, specialised to the types of the arguments.

Lowering walks the statements in order and keeps, for each name, what it stands for
(`values.py`).  It decides in the same walk what Python would decide at run time from
facts that are known here: which function a name means, whether `x += y` writes or
rebinds, which branch `if axis is None` takes.  See `memory.py` for aliases.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd_compiler import ir
from autograd_compiler.builder import Builder
from autograd_compiler.errors import (
    AutogradCompilerError,
    CompileError,
    MutationError,
    UnsupportedError,
)
from autograd_compiler.frontend import (
    assignment,
    blocks,
    branches,
    calls,
    classes,
    expressions,
    iteration,
    loops,
    stores,
    user_calls,
)
from autograd_compiler.frontend.memory import Memory, State
from autograd_compiler.frontend.source import span_of
from autograd_compiler.frontend.values import (
    Capture,
    Failure,
    Frame,
    Items,
    Iterable,
    MethodOf,
    NoResultYet,
    Object,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import dict_type, identity, list_type
from autograd_compiler.types import (
    MEMORY,
    Dim,
    ListOf,
    TupleOf,
    Type,
    Unknown,
)

# What a mistake of the compiler itself looks like.
INTERNAL = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
# Deep enough for helpers that call helpers; recursion never gets here.
MAX_INLINE_DEPTH = 60


class RuleRefusal(UnsupportedError):
    """A rule says that it does not hold for its operands."""


class Lowering:
    """The state of lowering one function and all that is inlined into it."""

    def __init__(
        self, program: Any = None, builder: Builder | None = None, in_rule: bool = False
    ) -> None:
        self.builder = builder or Builder()
        # Inside a rule, names mean their objects, and operations keep the span of the
        # statement that the rule is for.
        self.in_rule = in_rule
        # Inside the definition of a composed operator, which may call the user's functions.
        self.defining = False
        # Inside of a `try`, whose body is done when compiling.
        self.trying = False
        # Whether what is lowered is a function of a rule that may be called as it is.
        self.may_call = False
        # How many branches that run time decides are being lowered.
        self.choices = 0
        self.memory = Memory()
        self.state = State()
        self.frame: Frame | None = None
        self.callers: list[dict[str, Value]] = []  # names of the functions around
        self.program = program
        self.captures: dict[Any, tuple[Capture, ir.Var]] = {}
        self.guards: dict[Any, tuple[Capture, Any]] = {}
        self.captured_origins: dict[ir.Var, str] = {}
        self.mutated: dict[ir.Var, ir.Span] = {}
        self.depth = 0
        self._current: ast.stmt | None = None
        # Sizes of arguments and captures by number: equal sizes share a symbol.
        fixed = () if program is None else program.fixed_sizes
        self.sizes = {size: Dim("", size) for size in fixed}
        # What a `defaultdict` makes for a key that it has not, by its cell.
        self.factories: dict[int, Value] = {}
        # Accumulators of comprehensions, which no statement assigns.
        self.hidden_names: set[str] = set()
        self._of_form: Value | None = None
        self._cells = 0
        self.filename = "<generated>"

    def learn_sizes(self, kind: Type) -> None:
        """Captures must not take the symbols of arguments for other sizes."""
        for dim in getattr(kind, "dims", ()):
            if dim is not None and dim.symbol.startswith("n"):
                self.sizes.setdefault(-1 - int(dim.symbol[1:]), dim)

    # ------------------------------------------------------------ places

    def span(self, node: ast.AST) -> ir.Span:
        """The place of a node, with the statement around it for comments."""
        if self.place is not None:
            return self.place
        return span_of(node, self.filename, self._current)

    def refuse(
        self, node: ast.AST | None, message: str, hint: str = ""
    ) -> UnsupportedError:
        span = self.span(node) if node is not None else self.builder.span
        return UnsupportedError(message, span, hint)

    @property
    def place(self) -> ir.Span | None:
        """The call that stands for all operations, inside of a prelude function."""
        return self.frame.place if self.frame is not None else None

    @property
    def current_statement(self) -> ast.stmt | None:
        return self._current

    # ------------------------------------------------------------ statements

    def statements(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if self.state.dead:
                return
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        with self.builder.at(self._statement_span(node)):
            try:
                self._statement(node)
            except NoResultYet as stop:
                if self.trying and isinstance(stop, Failure):
                    raise
                self.abandon(stop)
            except AutogradCompilerError:
                raise
            except INTERNAL as error:
                raise self.not_understood(error) from error

    def abandon(self, stop: NoResultYet) -> None:
        """Take what follows for dead code, after raising what Python would raise."""
        if isinstance(stop, Failure) and not self.state.dead:
            made = ir.Var("")
            text = (ir.Const(str(stop.error)),)
            span, adjoint = self.builder.span, self.builder.adjoint
            kind = type(stop.error)
            self.builder.append(ir.Apply(span, (made,), kind, text, adjoint=adjoint))
            self.builder.append(ir.Effect(span, "raise", (made,), adjoint=adjoint))
        self.state.dead = True

    def failure(self, node: ast.AST | None, error: Exception) -> Exception:
        """The exception for an expression that fails: now, or only if it is reached."""
        if self.trying or self.builder.depth and not self.in_rule:
            return Failure(error)
        return self.refuse(
            node,
            f"this fails with {type(error).__name__}: {error}",
            "the function fails here by itself: call it without `grad` to see how",
        )

    def fail(self, error: Exception) -> None:
        """Raise an exception when this is reached."""
        self.abandon(Failure(error))

    def not_understood(self, error: Exception) -> UnsupportedError:
        if self.in_rule:
            return UnsupportedError(
                f"this call cannot be differentiated ({type(error).__name__}: {error})",
                self.builder.span,
                "check that its arguments fit: the call itself may fail",
            )
        return UnsupportedError(
            f"the compiler fails on this statement ({type(error).__name__}: {error})",
            self.builder.span,
            "write it in another way; a report of the program would be welcome",
        )

    def _statement_span(self, node: ast.stmt) -> ir.Span:
        # Inside a rule, operations belong to the statement that the rule is for.
        if self.in_rule or not getattr(node, "lineno", 0):
            return self.builder.span
        if self.place is not None:
            return self.place
        self._current = node
        return self.span(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets, value):
                result = self.expression(value)
                for target in targets:
                    assignment.assign(self, target, result)
            case ast.AnnAssign(target, _, value):
                if value is not None:
                    assignment.assign(self, target, self.expression(value))
            case ast.AugAssign():
                assignment.augmented(self, node)
            case ast.Expr(value):
                if not isinstance(value, ast.Constant):
                    self.expression(value)
            case ast.If(test, then, orelse):
                branches.branch(
                    self,
                    self.condition(test),
                    lambda: self.statements(then),
                    lambda: self.statements(orelse),
                )
            case ast.For():
                loops.lower_for(self, node)
            case ast.While():
                loops.lower_while(self, node)
            case ast.With():
                blocks.lower_with(self, node)
            case ast.Try():
                blocks.lower_try(self, node)
            case ast.Assert(test, message):
                self._assert(test, message)
            case ast.Raise():
                self._raise(node)
            case ast.FunctionDef():
                function: Value = user_calls.closure(self, node)
                for decorator in reversed(node.decorator_list):
                    function = calls.call(
                        self, self.expression(decorator), (function,), {}, decorator
                    )
                self.bind(node.name, function)
            case ast.Pass() | ast.Break():
                pass
            case ast.Delete(targets):
                for target in targets:
                    stores.delete(self, target)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Return():
                raise AssertionError("normalise leaves one return, at the end")
            case _:
                raise self.refuse(
                    node,
                    f"`{type(node).__name__.lower()}` statements are not supported",
                    "move the statement out of the differentiated function",
                )

    def _assert(self, test: ast.expr, message: ast.expr | None) -> None:
        condition = self.condition(test)
        text = (
            self.operand(self.expression(message), message)
            if message is not None
            else ir.Const(None)
        )
        self.builder.append(
            ir.Effect(
                self.builder.span,
                "assert",
                (condition, text),
                adjoint=self.builder.adjoint,
            )
        )

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            raise self.refuse(node, "`raise` needs an exception here")
        if self.in_rule and not self.choices:
            raise self._rule_refusal(node)
        self.builder.append(
            ir.Effect(
                self.builder.span,
                "raise",
                (self._exception(node.exc),),
                adjoint=self.builder.adjoint,
            )
        )
        self.state.dead = True

    def _exception(self, node: ast.expr) -> ir.Operand:
        match node:
            case ast.Call(func, args, []):
                kind = self.expression(func)
                if isinstance(kind, ir.Const) and isinstance(kind.value, type):
                    given = tuple(
                        self.operand(self.expression(arg), arg) for arg in args
                    )
                    made = ir.Var("")
                    self.builder.append(
                        ir.Apply(
                            self.builder.span,
                            (made,),
                            kind.value,
                            given,
                            adjoint=self.builder.adjoint,
                        )
                    )
                    return made
        return self.operand(self.expression(node), node)

    def _rule_refusal(self, node: ast.Raise) -> CompileError:
        text = ""
        if isinstance(node.exc, ast.Call) and node.exc.args:
            message = self.expression(node.exc.args[0])
            if isinstance(message, ir.Const):
                text = str(message.value)
        return RuleRefusal(text or "not differentiable here", self.builder.span)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and (node.level or node.module is None):
            raise self.refuse(
                node, "a relative import inside a function", "import it at module level"
            )
        try:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found = importlib.import_module(alias.name)
                    if alias.asname is None:
                        found = importlib.import_module(alias.name.split(".")[0])
                    self.bind(alias.asname or alias.name.split(".")[0], ir.Const(found))
                return
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                value = _member(module, alias.name)
                self.bind(alias.asname or alias.name, ir.Const(value))
        except ImportError as error:
            raise self.failure(node, error) from None

    # ------------------------------------------------------------ values

    def expression(self, node: ast.expr) -> Value:
        return expressions.lower(self, node)

    def condition(self, node: ast.expr) -> ir.Operand:
        """A value to branch on."""
        return self.truth(self.expression(node))

    def truth(self, value: Value) -> ir.Operand:
        """What decides a branch: containers of known structure are true or false now."""
        if classes.class_of(self, value) is not None:
            answer = classes.truth(self, value)
            return ir.Const(True) if answer is None else self.operand(answer)
        match value:
            case ir.Const():
                return ir.Const(bool(value.value))
            case ir.Var() | ir.Slice():
                return value
            case ir.Pack(items):
                return ir.Const(bool(items))
            case Ref():
                content = self.content(value)
                if isinstance(content, Items):
                    return ir.Const(bool(content.items))
                return content
        return ir.Const(True)

    def bind(self, name: str, value: Value) -> None:
        """Give a value the user's name, where it has none yet."""
        if isinstance(value, ir.Var) and not value.name and not self.in_rule:
            value.name = name.strip("%")
        self.state.names[name] = value

    def new_ref(self, form: ir.Form, items: Sequence[Value]) -> Ref:
        ref = self.new_cell()
        self.state.cells[ref.cell] = Items(form, tuple(items))
        return ref

    def new_cell(self) -> Ref:
        self._cells += 1
        return Ref(self._cells)

    def content(self, ref: Ref) -> Items | ir.Var:
        content = self.state.cells[ref.cell]
        if isinstance(content, ir.Var):
            return self.fresh(content)
        return content

    def fresh(self, var: ir.Var) -> ir.Var:
        """The variable as it is now: its current version, a view read again."""
        if not isinstance(var.type, (*MEMORY, TupleOf)):
            return var
        origin = self.memory.origin(var)
        root, path = self.memory.root(origin)
        for stale in (origin, root):
            if stale in self.state.stale:
                if var is self._of_form:
                    return var
                raise self._stale(var, self.state.stale[stale])
        view = self.memory.view(origin)
        if view is None:
            return self.state.current.get(origin, origin)
        if origin in self.state.moved:
            return origin
        base, steps = view
        now = self.fresh(base)
        if now is base:
            return origin
        return stores.read_path(self, now, steps, of=origin)

    @contextmanager
    def asking_form(self, value: Value | None) -> Iterator[Any]:
        """Around what reads only the form of a value: it may have been written."""
        outer, self._of_form = self._of_form, value
        try:
            yield value
        finally:
            self._of_form = outer

    def reachable(self) -> set[ir.Var]:
        """The origins and owners of all memory that some name or container holds."""
        found: set[ir.Var] = set()

        def visit(value: Any) -> None:
            if isinstance(value, ir.Var):
                found.update((self.memory.origin(value), self.memory.root(value)[0]))
            elif isinstance(value, (ir.Pack, Items)):
                for item in value.items:
                    visit(item)

        scopes = [self.state.names, *self.callers]
        for scope in scopes:
            for value in scope.values():
                visit(value)
        for content in self.state.cells.values():
            visit(content)
        return found

    def refreshed(self, value: Value) -> Value:
        """The value with the views in it read again, where that can be done."""
        if isinstance(value, ir.Pack):
            items = tuple(self.refreshed(item) for item in value.items)
            if all(a is b for a, b in zip(items, value.items, strict=True)):
                return value
            return pack(items, value.form)
        if isinstance(value, ir.Var) and self.memory.view(value) is not None:
            stale = (self.memory.origin(value), self.memory.root(value)[0])
            if not any(origin in self.state.stale for origin in stale):
                return self.fresh(value)
        return value

    def _stale(self, var: ir.Var, written: ir.Span) -> MutationError:
        name = f"`{var.name}`" if var.name else "a value"
        if isinstance(var.type, ListOf):
            name = f"the list {name}" if var.name else "a list"
        hint = "take a copy before the write (`.copy()`), so that the two are distinct"
        if isinstance(var.type, Unknown):
            hint += (
                "; or give the types: `lower(*args)`, or annotations such as `x: float`"
            )
        return MutationError(
            f"this write may change {name}, which is read at line "
            f"{self.builder.span.line}: they may be aliases of the same memory, and it "
            "is not known whether they are",
            written,
            hint,
        )

    def stale_since(self, value: Value) -> ir.Span | None:
        """The write after which a value cannot be read any more, if there was one."""
        if isinstance(value, ir.Pack):
            found = (self.stale_since(item) for item in value.items)
            return next((span for span in found if span is not None), None)
        if isinstance(value, ir.Var):
            for origin in (self.memory.origin(value), self.memory.root(value)[0]):
                if origin in self.state.stale:
                    return self.state.stale[origin]
        return None

    def read(self, value: Value) -> Value:
        """A value with every variable in it brought up to date."""
        if isinstance(value, ir.Var):
            return self.fresh(value)
        if isinstance(value, ir.Pack):
            return ir.Pack(
                tuple(self._plain(self.read(item)) for item in value.items), value.form
            )
        return value

    @staticmethod
    def _plain(value: Value) -> Any:
        return value

    def operand(self, value: Value, node: ast.AST | None = None) -> ir.Operand:
        """The value as an operand of the IR; containers are written out."""
        match value:
            case ir.Var():
                return self.fresh(value)
            case ir.Pack(items, form):
                return ir.Pack(tuple(self.operand(item, node) for item in items), form)
            case ir.Const() | ir.Slice():
                return value
            case Ref():
                if iteration.is_iterator(self, value):
                    left = iteration.used_up(self, value, node)
                    return self.operand(iteration.listed(self, left, node), node)
                content = self.content(value)
                if isinstance(content, ir.Var):
                    return content
                return ir.Pack(
                    tuple(self.operand(item, node) for item in content.items),
                    content.form,
                )
            case Object():
                return calls.capture_whole(self, value)
            case Iterable():
                return self.operand(iteration.listed(self, value, node), node)
        if isinstance(value, MethodOf) and isinstance(value.owner, ir.Var):
            if isinstance(value.owner.type, Unknown):
                raise self.refuse(
                    node,
                    f"what the attribute `{value.name}` is of, is not known here",
                    "give the types: `lower(*args)`, or an annotation",
                )
        if isinstance(value, calls.FUNCTIONS):
            raise self.refuse(
                node,
                "a function is used as a value that only run time knows",
                "call it directly, or choose between the results of the calls",
            )
        raise self.refuse(
            node, f"{type(value).__name__} cannot be used as a value here"
        )

    def materialise(self, ref: Ref, name: str = "") -> ir.Var:
        """Turn a container of known structure into one that lives at run time."""
        content = self.content(ref)
        if isinstance(content, ir.Var):
            return content
        for item in content.items:
            if isinstance(item, Ref) and content.form.kind in ("list", "dict"):
                self.materialise(item)  # so that it stays the same list
        pack = self.operand(ref)
        assert isinstance(pack, ir.Pack)
        if pack.form.kind == "list":
            kind: Any = list_type(pack)
        else:
            kind = dict_type(pack)
        target = ir.Var(name or self._name_of(ref), kind)
        self.builder.append(
            ir.Apply(
                self.builder.span,
                (target,),
                identity,
                (pack,),
                adjoint=self.builder.adjoint,
            )
        )
        for var in ir.leaves(pack):
            if isinstance(var.type, MEMORY):
                self.memory.put(target, var)
        self.state.cells[ref.cell] = target
        return target

    def _name_of(self, ref: Ref) -> str:
        for name, value in self.state.names.items():
            if isinstance(value, Ref) and value.cell == ref.cell:
                return name
        return ""

    # ------------------------------------------------------------ operations

    def apply(
        self, fn: Any, *args: ir.Operand, style: str = "function", **kwargs: Any
    ) -> ir.Operand:
        """A call that has no side effects; views are remembered."""
        result = self.builder.apply(fn, *args, style=style, **kwargs)
        for var in ir.leaves(result):
            if var in self.builder.shares:
                stores.note_view(self, var, fn, args, tuple(kwargs.items()))
        return result


def _member(module: Any, name: str) -> Any:
    """What `from module import name` gives: an attribute, or a module inside."""
    if not hasattr(module, name):
        try:
            return importlib.import_module(f"{module.__name__}.{name}")
        except ModuleNotFoundError:
            raise ImportError(
                f"cannot import name {name!r} from {module.__name__!r}"
            ) from None
    return getattr(module, name)


def lower_body(
    low: Lowering, node: ast.FunctionDef, names: dict[str, Value], frame: Frame
) -> Value:
    """Lower a normalised function body with its parameters bound; give its result."""
    outer_names, outer_frame, outer_file = low.state.names, low.frame, low.filename
    outer_statement = low.current_statement
    if outer_frame is not None:
        outer_frame.names = outer_names
    low.callers.append(outer_names)
    low.state.names = names
    low.frame, low.filename = frame, frame.filename
    low.depth += 1
    try:
        if low.depth > MAX_INLINE_DEPTH:
            raise RecursionError  # the entry knows why the recursion was no call
        *body, last = node.body
        low.statements(body)
        if low.state.dead:
            return ir.Const(None)
        assert isinstance(last, ast.Return)
        with low.builder.at(low._statement_span(last)):
            if last.value is None:
                return ir.Const(None)
            return low.expression(last.value)
    finally:
        low.depth -= 1
        low.callers.pop()
        frame.names = low.state.names  # what a returned closure goes on to see
        low.state.names = outer_names
        low.frame, low.filename = outer_frame, outer_file
        low._current = outer_statement
