#!/usr/bin/env python3
"""Two iterations that stop by themselves: power iteration and Newton's method.

The same program as iterations.cpp: the same seed gives the same numbers. Loops end with `until`, their
gradients run through as many steps as there were, and both gradients are compared with the known ones.
"""

import argparse
import pathlib

import croton as ct
import croton.tensor as T
import numpy as np


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=200, help="of the matrix")
    parser.add_argument("--tolerance", type=float, default=1e-10)
    parser.add_argument("--steps", type=int, default=10000, help="at most so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    return parser.parse_args()


def largest_eigenvalue(matrix, start, tolerance, limit):
    """Of a symmetric matrix, its vector, and how many steps it took."""

    def step(v):
        image = T.dot(matrix, v)
        image = image / T.sqrt(T.sum(image**2))
        return image, ct.until(T.max(abs(image - v)) < tolerance)

    vectors, _ = ct.scan(step, None, start, n_steps=limit)
    v = vectors[-1]
    return T.dot(v, T.dot(matrix, v)), v, vectors.shape[0]


def root(f, start, tolerance, limit):
    """Of a function of one number, by Newton's method, and how many steps it took."""

    def step(x):
        y = f(x)
        x_next = x - y / T.grad(y, x)
        return x_next, ct.until(abs(x_next - x) < tolerance)

    values, _ = ct.scan(step, None, start, n_steps=limit)
    return values[-1], values.shape[0]


def power_iteration(s):
    random = T.shared_randomstreams.RandomStreams(s.seed)
    numbers = random.uniform((s.size, s.size), -0.4, 0.6, dtype="float64").eval()
    symmetric = (numbers + numbers.T) / 2
    matrix, start = T.dmatrix("matrix"), T.dvector("start")
    value, vector, count = largest_eigenvalue(matrix, start, s.tolerance, s.steps)
    run = ct.function([matrix, start], [value, vector, count, T.grad(value, matrix)], name="power_iteration")
    value, vector, count, slope = run(symmetric, np.full(s.size, s.size**-0.5))
    rest = np.max(abs(symmetric @ vector - value * vector))
    wrong = np.max(abs(slope - np.outer(vector, vector)))  # d value / d matrix
    print(f"power iteration, {s.size} x {s.size}: largest eigenvalue {value:.10f} after {count} steps")
    print(f"  matrix times vector differs by {rest:.1e}, the gradient by {wrong:.1e} from the known one")
    return dict(value=value, vector=vector, count=count, slope=slope)


def kepler(s):
    """Where a planet is on its ellipse: E - eccentricity * sin(E) = time."""
    now, eccentricity = T.dscalar("now"), 0.8
    angle, count = root(lambda e: e - eccentricity * T.sin(e) - now, now, s.tolerance, s.steps)
    run = ct.function([now], [angle, count, T.grad(angle, now)], name="kepler")
    times = np.linspace(0.25, 3, 12)
    found = [run(time) for time in times]
    print("Newton's method, Kepler's equation with eccentricity 0.8:")
    for time, (angle, count, speed) in zip(times, found):
        known = 1 / (1 - eccentricity * np.cos(angle))
        print(
            f"  time {time:.2f}: angle {angle:.10f} after {count} steps, "
            f"speed {speed:.6f} ({abs(speed - known):.0e} from the known one)"
        )
    angles, steps, speeds = zip(*found)
    return dict(angles=angles, steps=steps, speeds=speeds)


def main():
    s = read_settings()
    results = power_iteration(s) | kepler(s)
    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "iterations.npz", **results)


if __name__ == "__main__":
    main()
