"""Functions of `scipy.stats` that are known and not differentiated."""

from __future__ import annotations

import scipy.stats

from autograd_compiler.rules.registry import refused
from autograd_compiler.rules.static import those_of

refused(
    those_of(
        scipy.stats,
        "boxcox boxcox_llf circmean circstd circvar entropy "
        "gmean gstd gzscore hmean iqr kurtosis "
        "median_abs_deviation moment pmean sem sigmaclip "
        "skew tmean trim_mean tsem tstd tvar variation "
        "yeojohnson yeojohnson_llf zmap zscore",
    ),
    "write its formula with np.mean, np.var and np.log",
)
refused(
    those_of(
        scipy.stats,
        "abs alexandergovern anderson anderson_ksamp ansari "
        "barnard_exact bartlett bayes_mvs binned_statistic "
        "binned_statistic_2d binned_statistic_dd binomtest "
        "bootstrap boschloo_exact boxcox_normmax boxcox_normplot "
        "brunnermunzel bws_test chatterjeexi chi2_contingency "
        "chisquare combine_pvalues cramervonmises "
        "cramervonmises_2samp cumfreq describe "
        "differential_entropy directional_stats dunnett ecdf "
        "energy_distance epps_singleton_2samp exp expectile "
        "f_oneway false_discovery_control fisher_exact fit "
        "fligner friedmanchisquare goodness_of_fit jarque_bera "
        "kendalltau kruskal ks_1samp ks_2samp kstat kstatvar "
        "kstest kurtosistest levene linregress lmoment log "
        "logrank make_distribution mannwhitneyu median_test "
        "mode monte_carlo_test mood multiscale_graphcorr "
        "mvsdist normaltest obrientransform order_statistic "
        "page_trend_test pearsonr percentileofscore "
        "permutation_test pointbiserialr poisson_means_test power "
        "power_divergence ppcc_max ppcc_plot probplot quantile "
        "quantile_test rankdata ranksums relfreq "
        "scoreatpercentile shapiro siegelslopes skewtest "
        "sobol_indices somersd spearmanr spearmanrho "
        "theilslopes tiecorrect tmax tmin trim1 trimboth "
        "truncate ttest_1samp ttest_ind ttest_ind_from_stats "
        "ttest_rel tukey_hsd wasserstein_distance "
        "wasserstein_distance_nd weightedtau wilcoxon "
        "yeojohnson_normmax yeojohnson_normplot",
    ),
    "it is a test or an estimate; write the part of it that is differentiated",
)
