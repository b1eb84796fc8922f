"""Functions of `scipy.special` that are known and not differentiated."""

from __future__ import annotations

import scipy.special

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.special, "geterr seterr test"),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(
        scipy.special,
        "chebyc chebys chebyt chebyu gegenbauer genlaguerre "
        "hermite hermitenorm jacobi laguerre legendre "
        "sh_chebyt sh_chebyu sh_jacobi sh_legendre",
    ),
    "it gives a polynomial as an object; write scipy.special.eval_… of the same name",
)
refused(
    those_of(scipy.special, "h1vp h2vp ivp jvp kvp yvp"),
    "it is a derivative already; write it with the Bessel functions of neighbouring orders",
)
refused(
    those_of(
        scipy.special,
        "bdtr bdtrc bdtri bdtrik bdtrin btdtria btdtrib "
        "chdtriv chndtr chndtridf chndtrinc chndtrix fdtri "
        "fdtridfd gdtria gdtrib gdtrix kolmogi kolmogorov "
        "nbdtr nbdtrc nbdtri nbdtrik nbdtrin ncfdtr "
        "ncfdtri ncfdtridfd ncfdtridfn ncfdtrinc nctdtr "
        "nctdtridf nctdtrinc nctdtrit nrdtrimn nrdtrisd "
        "pdtri pdtrik smirnov smirnovi stdtridf",
    ),
    "it has no rule; write scipy.special.betainc or gammainc, which it is made of, or solve for it with `implicit_root`",
)
refused(
    those_of(
        scipy.special,
        "agm airye assoc_laguerre assoc_legendre_p "
        "assoc_legendre_p_all besselpoly diric ellip_harm "
        "ellip_harm_2 elliprc elliprg elliprj it2i0k0 "
        "it2j0y0 it2struve0 itairy iti0k0 itj0y0 "
        "itmodstruve0 itstruve0 kelvin legendre_p "
        "legendre_p_all lmbda log_wright_bessel lpmv lqmn "
        "lqn mathieu_a mathieu_b mathieu_cem mathieu_modcem1 "
        "mathieu_modcem2 mathieu_modsem1 mathieu_modsem2 "
        "mathieu_sem modfresnelm modfresnelp obl_ang1 "
        "obl_ang1_cv obl_cv obl_cv_seq obl_rad1 obl_rad1_cv "
        "obl_rad2 obl_rad2_cv pbdn_seq pbdv pbdv_seq pbvv "
        "pbvv_seq pbwa pro_ang1 pro_ang1_cv pro_cv "
        "pro_cv_seq pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv "
        "riccati_jn riccati_yn sph_harm_y sph_harm_y_all "
        "sph_legendre_p sph_legendre_p_all tklmbda voigt_profile "
        "wright_bessel zetac",
    ),
    "it has no rule; declare one with `custom.partials` or `custom.composed`",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(
    *those_of(
        scipy.special,
        "ai_zeros bei_zeros beip_zeros ber_zeros berp_zeros "
        "bi_zeros ellip_normal erf_zeros factorial2 factorialk "
        "fresnel_zeros fresnelc_zeros fresnels_zeros jn_zeros "
        "jnjnp_zeros jnp_zeros jnyn_zeros kei_zeros keip_zeros "
        "kelvin_zeros ker_zeros kerp_zeros mathieu_even_coef "
        "mathieu_odd_coef stirling2 y0_zeros y1_zeros y1p_zeros "
        "yn_zeros ynp_zeros",
    )
)
