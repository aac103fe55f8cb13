#!/usr/bin/env python3
"""Draws from a distribution by Hamiltonian Monte Carlo, written as a loop in a loop.

The same program as hmc.cpp: the same seed gives the same draws. Many chains run side by side; each step of
the outer loop gives every chain a random push, follows its path for some steps of the inner loop, and accepts
or refuses where it ended. Random numbers are drawn inside of the loop. The distribution is a normal one, so
that mean and covariance are known. Draws a path and the spread into the output folder.
"""

import argparse
import pathlib
import time

import croton as ct
import croton.tensor as T
import numpy as np

MEAN = np.array([1.0, -2.0])
COVARIANCE = np.array([[2.0, 0.8], [0.8, 0.5]])
PRECISION = np.linalg.inv(COVARIANCE)


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="of each chain")
    parser.add_argument("--chains", type=int, default=50)
    parser.add_argument("--leaps", type=int, default=10, help="steps of a path")
    parser.add_argument("--length", type=float, default=0.3, help="of a step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    return parser.parse_args()


def energy(places):
    """Minus the logarithm of the density, up to a constant: one number a chain. Put your own here."""
    away = places - MEAN
    return 0.5 * T.sum(T.dot(away, PRECISION) * away, axis=1)


def force(places):
    return -T.grad(T.sum(energy(places)), places)


def path(places, speeds, leaps, length):
    """Where the leapfrog method takes the chains, and how fast they are there."""

    def leap(places, speeds):
        half = speeds + 0.5 * length * force(places)
        places = places + length * half
        return places, half + 0.5 * length * force(places)

    (places, speeds), _ = ct.scan(leap, None, [places, speeds], n_steps=leaps)
    return places[-1], speeds[-1]


def hamiltonian_monte_carlo(start, draws, leaps, length, random):
    """Places (draw, chain, axis) and which of them were reached by an accepted path, and the updates."""

    def total(places, speeds):
        return energy(places) + 0.5 * T.sum(speeds**2, axis=1)

    def step(places):
        speeds = random.normal(places.shape, ndim=2, dtype="float64")
        there, speeds_there = path(places, speeds, leaps, length)
        chance = T.exp(total(places, speeds) - total(there, speeds_there))
        accepted = random.uniform((places.shape[0],), dtype="float64") < chance
        return T.switch(accepted.dimshuffle(0, "x"), there, places), accepted

    (places, accepted), updates = ct.scan(step, None, [start, None], n_steps=draws)
    return places, accepted, updates


def main():
    s = read_settings()
    random = T.shared_randomstreams.RandomStreams(s.seed)
    start, draws = T.dmatrix("start"), T.lscalar("draws")
    places, accepted, updates = hamiltonian_monte_carlo(start, draws, s.leaps, s.length, random)
    sample = ct.function([start, draws], [places, accepted], updates=updates, name="sample")

    begin, parts, hits = time.time(), [], []
    last = np.zeros((s.chains, 2))
    with ct.Progress(s.draws, "draws") as progress:
        while progress.done < s.draws:
            count = min(100, s.draws - progress.done)
            some, hit = sample(last, count)
            last = some[-1]
            parts.append(some), hits.append(hit)
            progress.advance(count, f"{100 * np.mean(hit):.0f} % accepted")
    seconds, chains = time.time() - begin, np.concatenate(parts)

    kept = chains[s.draws // 10 :].reshape(-1, 2)  # the first tenth depends on where the chains began
    mean, covariance = kept.mean(axis=0), np.cov(kept.T, ddof=0)
    print(f"{s.chains} chains of {s.draws} draws, {s.leaps} leaps each, in {seconds:.2f} s: ", end="")
    print(f"{100 * np.mean(np.concatenate(hits)):.1f} % accepted")
    print(f"  mean {mean[0]:.3f} {mean[1]:.3f} (in truth {MEAN[0]:g} {MEAN[1]:g})")
    print(f"  covariance {covariance[0, 0]:.3f} {covariance[0, 1]:.3f} {covariance[1, 1]:.3f}", end="")
    print(f" (in truth {COVARIANCE[0, 0]:g} {COVARIANCE[0, 1]:g} {COVARIANCE[1, 1]:g})")

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "hmc.npz", chains=chains, mean=mean, covariance=covariance)
    figure = ct.Figure(900, 420)
    first = chains[: min(s.draws, 200), 0]
    figure.lines("The first chain", {"first axis": first[:, 0], "second axis": first[:, 1]}, "draw", "place")
    counts, edges = np.histogram(kept[:, 0], 60, (-4, 6), density=True)
    middle = (edges[1:] + edges[:-1]) / 2
    variance = COVARIANCE[0, 0]
    density = np.exp(-((middle - MEAN[0]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    figure.lines("First axis", {"drawn": (middle, counts), "truth": (middle, density)}, "place", "density")
    for ending in ("png", "svg"):
        figure.save(output / f"hmc.{ending}")


if __name__ == "__main__":
    main()
