"""Functions of `scipy.signal` that are known and not differentiated."""

from __future__ import annotations

import scipy.signal

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.signal, "test"),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(
        scipy.signal,
        "decimate deconvolve filtfilt lfilter_zi lfiltic "
        "resample resample_poly savgol_filter sepfir2d "
        "sosfilt_zi sosfiltfilt spline_filter symiirorder1 "
        "symiirorder2 upfirdn",
    ),
    "it has no rule; write scipy.signal.lfilter, convolve or np.fft",
)
refused(
    those_of(
        scipy.signal,
        "coherence csd czt envelope hilbert2 istft "
        "lombscargle periodogram spectrogram welch zoom_fft",
    ),
    "it has no rule; write scipy.signal.stft or np.fft.rfft",
)
refused(
    those_of(scipy.signal, "medfilt medfilt2d order_filter wiener"),
    "it sorts windows; write np.median of a view of windows",
)
refused(
    those_of(
        scipy.signal,
        "abcd_normalize band_stop_obj bessel besselap bilinear "
        "bilinear_zpk bode buttap butter buttord cheb1ap "
        "cheb1ord cheb2ap cheb2ord cheby1 cheby2 chirp "
        "cont2discrete cspline1d cspline1d_eval cspline2d dbode "
        "dfreqresp dimpulse dlsim dstep ellip ellipap "
        "ellipord findfreqs firls firwin firwin2 firwin_2d "
        "freqresp freqs freqs_zpk freqz freqz_sos freqz_zpk "
        "gammatone gauss_spline gausspulse group_delay iircomb "
        "iirdesign iirfilter iirnotch iirpeak impulse invres "
        "invresz kaiser_atten kaiser_beta lp2bp lp2bp_zpk "
        "lp2bs lp2bs_zpk lp2hp lp2hp_zpk lp2lp lp2lp_zpk "
        "lsim minimum_phase normalize place_poles qspline1d "
        "qspline1d_eval qspline2d remez residue residuez "
        "savgol_coeffs sawtooth sos2tf sos2zpk sosfreqz "
        "ss2tf ss2zpk step sweep_poly tf2sos tf2ss tf2zpk "
        "unique_roots vectorstrength zpk2sos zpk2ss zpk2tf",
    ),
    "filters are designed before: pass the coefficients in",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(
    *those_of(
        scipy.signal,
        "argrelextrema argrelmax argrelmin check_COLA "
        "check_NOLA choose_conv_method closest_STFT_dual_window "
        "correlation_lags czt_points find_peaks find_peaks_cwt "
        "get_window kaiserord max_len_seq peak_prominences "
        "peak_widths square unit_impulse",
    )
)
