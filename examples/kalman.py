#!/usr/bin/env python3
"""Follows a wandering object with a Kalman filter whose noise is learned by gradient.

The same program as kalman.cpp: the same seed gives the same losses. The object's velocity changes at random
and its position is measured badly. The filter's likelihood depends on both deviations; Adam climbs it, with
gradients through all steps of the filter. Draws measurements, estimate and track into the output folder.
"""

import argparse
import math
import pathlib
import time

import croton as ct
import croton.tensor as T
import numpy as np

TRUTH = {"deviation of the push": 0.1, "deviation of a measurement": 2.0}
MOVE = np.array([[1.0, 1.0], [0.0, 1.0]])  # position and velocity, one step on
PUSH = np.array([0.5, 1.0])  # what a push changes of them


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=400, help="steps of Adam")
    parser.add_argument("--seconds", type=float, default=600, help="the fit ends after so many")
    parser.add_argument("--measurements", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    parser.add_argument("--data", help="a text file with the measurements, a line each")
    return parser.parse_args()


def wander(count, seed):
    """Positions of an object and what is measured of them."""
    random = T.shared_randomstreams.RandomStreams(seed)
    push, blur = TRUTH.values()

    def step(state):
        state = T.dot(MOVE, state) + random.normal((), 0.0, push, dtype="float64") * PUSH
        return state, state[0] + random.normal((), 0.0, blur, dtype="float64")

    (states, seen), updates = ct.scan(step, None, [np.zeros(2), None], n_steps=count)
    return ct.function([], [states[:, 0], seen], updates=updates)()


def follow(seen, push, blur):
    """Estimates of the position after each measurement, and the logarithm of their joint density."""
    noise = push**2 * np.outer(PUSH, PUSH)

    def step(z, state, spread):
        state = T.dot(MOVE, state)
        spread = T.dot(T.dot(MOVE, spread), MOVE.T) + noise
        surprise, variance = z - state[0], spread[0, 0] + blur**2
        gain = spread[:, 0] / variance
        log_density = -0.5 * (T.log(2 * math.pi * variance) + surprise**2 / variance)
        return state + gain * surprise, spread - T.outer(gain, spread[0]), log_density

    (states, _, log_densities), _ = ct.scan(step, seen, [np.zeros(2), 100 * np.eye(2), None])
    return states[:, 0], log_densities.sum()


def read_measurements(path):
    try:
        return np.loadtxt(path, ndmin=1)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} is no list of measurements, one number a line: {error}") from None


def main():
    s = read_settings()
    track, measured = (None, read_measurements(s.data)) if s.data else wander(s.measurements, s.seed)

    seen, logs = T.dvector("seen"), ct.shared(np.zeros(2), "logs")  # of the two deviations: both are positive
    estimate, log_density = follow(seen, T.exp(logs[0]), T.exp(logs[1]))
    loss = -log_density / seen.shape[0]
    fit = ct.function([seen], loss, updates=ct.optimizers.adam(loss, [logs], 0.05), name="fit")
    smooth = ct.function([seen], estimate, name="smooth")

    begin, losses = time.time(), []
    with ct.Progress(s.epochs, "fit") as progress:
        for _ in range(s.epochs):
            losses.append(float(fit(measured)))
            progress.advance(1, f"loss {losses[-1]:.6f}")
            if time.time() - begin > s.seconds:
                break
    seconds, found = time.time() - begin, np.exp(logs.get_value())
    print(f"{len(losses)} gradients through {len(measured)} steps in {seconds:.2f} s")
    for (name, truth), value in zip(TRUTH.items(), found):
        print(f"  {name}: {value:.4f}" + ("" if s.data else f" (made with {truth:g})"))
    estimated = smooth(measured)
    if not s.data:
        raw, kept = [np.sqrt(np.mean((values - track) ** 2)) for values in (measured, estimated)]
        print(f"  distance from the track: {raw:.3f} as measured, {kept:.3f} as filtered")

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "kalman.npz", losses=losses, found=found)
    figure = ct.Figure(900, 420)
    series = {"measured": measured[:80], "filtered": estimated[:80]}
    if not s.data:
        series["track"] = track[:80]
    figure.lines("Position, the first 80 steps", series, "step", "position")
    for ending in ("png", "svg"):
        figure.save(output / f"kalman.{ending}")


if __name__ == "__main__":
    main()
