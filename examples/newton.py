"""Newton's method in a while loop: a gradient through iterations until convergence.

Kepler's equation `E - e sin(E) = M` gives the position of a planet; it has no closed
solution. The number of iterations is not known in advance and depends on the input.
The implicit function theorem gives the exact derivatives to compare with.
"""

import math

from autograd_compiler import grad


@grad(argnums=(0, 1))
def eccentric_anomaly(eccentricity, mean_anomaly):
    anomaly = mean_anomaly + eccentricity * math.sin(mean_anomaly)
    residual = anomaly - eccentricity * math.sin(anomaly) - mean_anomaly
    while abs(residual) > 1e-13:
        anomaly = anomaly - residual / (1.0 - eccentricity * math.cos(anomaly))
        residual = anomaly - eccentricity * math.sin(anomaly) - mean_anomaly
    # One step more: the loop stops when the value is exact, its derivative one step later.
    return anomaly - residual / (1.0 - eccentricity * math.cos(anomaly))


def main():
    print("   e     M      E        dE/de     dE/dM     (exact)")
    for e in (0.0167, 0.2056, 0.9673):
        for mean in (0.5, 2.0):
            anomaly, (d_e, d_mean) = eccentric_anomaly.value_and_grad(e, mean)
            slope = 1.0 - e * math.cos(anomaly)
            exact = (math.sin(anomaly) / slope, 1.0 / slope)
            print(
                f"{e:6.4f} {mean:4.1f} {anomaly:9.6f} {d_e:10.6f} {d_mean:9.6f}"
                f"  ({exact[0]:.6f}, {exact[1]:.6f})"
            )
            assert math.isclose(d_e, exact[0], rel_tol=1e-9)
            assert math.isclose(d_mean, exact[1], rel_tol=1e-9)


if __name__ == "__main__":
    main()
