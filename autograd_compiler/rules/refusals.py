"""Operators that are known and not differentiated, each with what to do instead."""

from __future__ import annotations

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import existing

refused(
    existing(
        "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"
    ),
    "which elements it keeps, and how many, depends on the values; write np.sort",
)
refused(
    existing("union1d", "intersect1d", "setdiff1d", "setxor1d", "trim_zeros"),
    "which elements it keeps depends on the values; write a subscript with a mask",
)
refused(
    existing("histogram", "histogram2d", "histogramdd", "histogram_bin_edges"),
    "counts are steps; for the weights write np.bincount(np.digitize(x, edges), weights)",
)
refused(existing("row_stack"), "NumPy gives it up; write np.vstack")
refused(existing("in1d", "trapz"), "NumPy gives it up; see its manual")
refused(existing("polydiv"), "write np.convolve and np.linalg.solve")
refused(existing("sort_complex"), "write np.sort of the real numbers to sort by")
refused(
    existing("vectorize", "frompyfunc", "nested_iters"),
    "the loop inside cannot be seen; write a comprehension",
)
refused(
    existing("put", "place", "putmask", "put_along_axis", "fill_diagonal", "copyto"),
    "it writes into its argument; write with a subscript",
)
refused(
    existing("asmatrix", "bmat", "matrix", "poly1d"),
    "its class changes what operators mean; write with arrays",
)
refused(
    existing(
        *("save", "savez", "savez_compressed", "savetxt", "load", "loadtxt"),
        *("fromfile", "fromregex", "genfromtxt", "fromstring", "frombuffer"),
        *("from_dlpack", "fromiter"),
    ),
    "it reads or writes what is outside of the program",
)
refused(
    existing(
        *("set_printoptions", "printoptions", "setbufsize", "seterr", "seterrcall"),
        *("get_printoptions", "getbufsize", "geterr", "geterrcall", "get_include"),
        *("info", "show_config", "show_runtime", "test", "linalg.test", "fft.test"),
    ),
    "it is about NumPy itself and not about numbers",
)

# What these take are no floats, or it is asked about and not computed with.
zero_derivative(
    *existing("packbits", "unpackbits", "mask_indices", "linalg.matrix_rank"),
    *existing("array2string", "array_repr", "array_str", "base_repr", "binary_repr"),
    *existing("format_float_positional", "format_float_scientific", "typename"),
    *existing("busday_count", "busday_offset", "is_busday", "isnat"),
    *existing("datetime_as_string", "datetime_data"),
    *existing("einsum_path", "isdtype", "isfortran", "iterable", "mintypecode"),
)
