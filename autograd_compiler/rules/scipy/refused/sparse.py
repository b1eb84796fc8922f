"""Functions of `scipy.sparse` that are known and not differentiated."""

from __future__ import annotations

import scipy.sparse

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(
        scipy.sparse,
        "block_array block_diag bmat diags diags_array "
        "expand_dims find hstack kron kronsum permute_dims "
        "save_npz spdiags swapaxes tril triu vstack",
    ),
    "write the matrix by its elements: csr_array((data, (rows, columns)), shape=…)",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(
    *those_of(
        scipy.sparse,
        "eye eye_array get_index_dtype identity issparse "
        "isspmatrix isspmatrix_bsr isspmatrix_coo isspmatrix_csc "
        "isspmatrix_csr isspmatrix_dia isspmatrix_dok "
        "isspmatrix_lil load_npz rand random random_array "
        "safely_cast_index_arrays",
    )
)
