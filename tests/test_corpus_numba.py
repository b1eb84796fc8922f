"""The programs of the corpus under Numba: some of each topic, and all with `-m slow`."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from corpus import ALL, Program
from harness import is_scalar, is_single_precision, run
from numeric import assert_close, assert_same_form, flatten

pytest.importorskip("numba")

from autograd_compiler import grad
from autograd_compiler.errors import BackendError, UnsupportedError

pytestmark = pytest.mark.numba

# Each takes about a second to compile; these show what differs between the backends.
REPRESENTATIVE = {
    "activity": "integer_counters argmax_as_index depends_on_the_shape_only",
    "arguments": """
        dict_of_arrays list_of_layers named_tuple dataclass_of_arrays star_parameters
        numpy_scalar single_precision_scalar single_precision_array
        single_precision_in_place array_without_dimensions strided_array
        integer_beside boolean_array_beside array_in_fortran_order
    """,
    "arrays_inplace": """
        element_store_in_a_loop augmented_store_reads_itself two_overlapping_views
        swap_of_two_buffers nonlinear_stencil_in_place store_of_a_slice_of_itself
        store_broadcasts accumulation_over_a_window
    """,
    "assignment": "swap rebinding_with_other_types name_used_for_number_then_array",
    "branches": "if_else branch_on_a_flag branch_gives_different_arrays",
    "calls": """
        helper_of_a_helper helper_in_a_loop helper_changes_its_argument captured_array
        function_given_by_the_caller
    """,
    "early_exits": """
        break_on_a_value continue_in_nested_loops return_in_a_while
        break_after_an_inplace_write
    """,
    "effects": "assertion raise_in_a_loop_not_reached",
    "generators": "sum_over_zip_and_enumerate",
    "lists_dicts": """
        append_then_sum pop_in_a_loop list_of_arrays_indexed_by_time
        append_arrays_then_stack
    """,
    "loops": "range_with_negative_step nested_loops inner_loop_reset triangular_loops",
    "numpy_programs": "logistic_regression heat_equation power_iteration",
    "scalars": "powers remainder_and_floor_division square_root_by_newton",
    "whiles": """
        nested_whiles loop_with_the_only_exit_in_the_middle return_from_an_endless_loop
        variable_assigned_on_the_exit_path
    """,
    "zero_trip": """
        while_loop_not_entered variable_defined_in_one_branch list_left_empty
        array_defined_in_one_branch
    """,
}
CHOSEN = {
    f"{topic}.{name}"
    for topic, names in REPRESENTATIVE.items()
    for name in names.split()
}
PROGRAMS = [program for program in ALL if is_scalar(run(program))]


def parameter(program: Program) -> Any:
    marks = () if program.name in CHOSEN else pytest.mark.slow
    return pytest.param(program, marks=marks, id=program.name)


def test_the_chosen_programs_exist_and_are_expected_to_compile():
    assert CHOSEN <= {program.name for program in PROGRAMS if program.numba}


def agrees_with_python(program: Program) -> None:
    compiled = grad(program.function, program.argnums, backend="numba")
    value, actual = compiled.value_and_grad(
        *copy.deepcopy(program.args), **program.kwargs
    )
    python = grad(program.function, program.argnums)
    expected = python(*copy.deepcopy(program.args), **program.kwargs)
    tolerance = 2e-3 if is_single_precision(program) else 1e-9
    assert_close(flatten(actual), flatten(expected), tolerance)
    assert_close(float(value), float(run(program)), tolerance)
    assert_same_form(actual, expected)


@pytest.mark.parametrize(
    "program", [parameter(program) for program in PROGRAMS if program.numba]
)
def test_numba_agrees_with_python(program: Program) -> None:
    agrees_with_python(program)


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [program for program in PROGRAMS if not program.numba],
    ids=lambda program: program.name,
)
def test_what_numba_lacks_is_refused_and_never_wrong(program: Program) -> None:
    try:
        agrees_with_python(program)
    except (BackendError, UnsupportedError) as error:
        assert 'backend="python"' in str(error)
