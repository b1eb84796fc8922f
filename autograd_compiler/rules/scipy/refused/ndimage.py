"""Functions of `scipy.ndimage` that are known and not differentiated."""

from __future__ import annotations

import scipy.ndimage

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.ndimage, "test"),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(
        scipy.ndimage,
        "affine_transform geometric_transform rotate shift "
        "spline_filter spline_filter1d zoom",
    ),
    "write scipy.ndimage.map_coordinates with order=1",
)
refused(
    those_of(
        scipy.ndimage,
        "center_of_mass extrema labeled_comprehension maximum "
        "mean median minimum standard_deviation sum "
        "sum_labels variance",
    ),
    "write np.bincount of the labels with weights, or a subscript with a mask",
)
refused(
    those_of(
        scipy.ndimage,
        "generic_filter generic_filter1d generic_gradient_magnitude "
        "generic_laplace vectorized_filter",
    ),
    "the function that it calls is not differentiated; write scipy.ndimage.correlate",
)
refused(
    those_of(
        scipy.ndimage,
        "fourier_ellipsoid fourier_gaussian fourier_shift fourier_uniform",
    ),
    "write a product in np.fft",
)
refused(
    those_of(scipy.ndimage, "gaussian_gradient_magnitude gaussian_laplace"),
    "write scipy.ndimage.gaussian_filter with order=1 or 2",
)
refused(
    those_of(
        scipy.ndimage,
        "black_tophat distance_transform_bf distance_transform_edt "
        "grey_closing grey_dilation grey_erosion grey_opening "
        "maximum_filter maximum_filter1d median_filter "
        "minimum_filter minimum_filter1d morphological_gradient "
        "morphological_laplace percentile_filter rank_filter "
        "white_tophat",
    ),
    "it takes the largest or smallest of windows; write np.max of a view of windows",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(
    *those_of(
        scipy.ndimage,
        "binary_closing binary_dilation binary_erosion "
        "binary_fill_holes binary_hit_or_miss binary_opening "
        "binary_propagation distance_transform_cdt find_objects "
        "generate_binary_structure histogram iterate_structure "
        "label maximum_position minimum_position value_indices "
        "watershed_ift",
    )
)
