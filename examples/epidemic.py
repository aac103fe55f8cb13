#!/usr/bin/env python3
"""Fits a model of an epidemic (SEIR) to the cases of each day by maximum likelihood.

The same program as epidemic.cpp: the same seed gives the same losses. People are susceptible, exposed,
infectious, then recovered; the model runs in 1,200 steps of a tenth of a day, and the gradient of the
likelihood comes back through all of them. Without --data the cases are drawn from the model itself, so that
the fit can be compared with the truth. Draws the fit into the output folder.
"""

import argparse
import pathlib
import time

import croton as ct
import croton.tensor as T
import numpy as np

PEOPLE = 1e6
STEPS_A_DAY = 10
NAMES = ["reproduction number", "days of incubation", "days infectious", "infectious at first"]
TRUTH = np.array([2.5, 4.0, 6.0, 50.0])
GUESS = np.array([1.5, 2.0, 10.0, 10.0])


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200, help="most steps of the fit")
    parser.add_argument("--seconds", type=float, default=600, help="the fit ends after so many")
    parser.add_argument("--days", type=int, default=120, help="of cases that are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    parser.add_argument("--data", help="a text file with the number of cases of each day, a line each")
    return parser.parse_args()


def cases_a_day(parameters, days):
    """Expected new cases of each day, given what NAMES lists."""
    reproduction, incubation, infectious, first = [parameters[k] for k in range(4)]
    dt = 1 / STEPS_A_DAY
    recovery = 1 / infectious

    def step(s, e, i):
        infections = dt * reproduction * recovery * s * i / PEOPLE
        onsets = dt * e / incubation
        return s - infections, e + infections - onsets, i + onsets - dt * recovery * i, onsets

    start = [PEOPLE - first, T.zeros_like(first), first]
    (_, _, _, onsets), _ = ct.scan(step, None, [*start, None], n_steps=days * STEPS_A_DAY)
    return onsets.reshape((-1, STEPS_A_DAY)).sum(axis=1)


def minimise(measure, x, most, deadline):
    """BFGS: steps by a guess of the inverse second derivatives, made of how the gradient has changed so far.

    measure(x) gives a value and its gradient. Gives the best x and the values on the way there.
    """
    value, slope = measure(x)
    values, inverse = [value], np.eye(len(x)) / np.linalg.norm(slope)
    while len(values) <= most and time.time() < deadline:
        direction, length = -inverse @ slope, 1.0
        next_value, next_slope = measure(x + direction)
        while not next_value < value + 1e-4 * length * (slope @ direction):  # too far: half of the way
            length /= 2
            if length < 1e-6:
                return x, values
            next_value, next_slope = measure(x + length * direction)
        step, change = length * direction, next_slope - slope
        x, value, slope = x + step, next_value, next_slope
        values.append(value)
        if step @ change > 0:
            shear = np.eye(len(x)) - np.outer(step, change) / (step @ change)
            inverse = shear @ inverse @ shear.T + np.outer(step, step) / (step @ change)
    return x, values


def read_cases(path):
    try:
        return np.loadtxt(path, ndmin=1)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} is no list of cases, one number a line: {error}") from None


def main():
    s = read_settings()
    logs, days, seen = T.dvector("logs"), T.lscalar("days"), T.dvector("seen")
    expect = ct.function([logs, days], cases_a_day(T.exp(logs), days), name="expect")
    if s.data:
        cases = read_cases(s.data)
    else:
        random = T.shared_randomstreams.RandomStreams(s.seed)
        cases = random.poisson((s.days,), expect(np.log(TRUTH), s.days)).eval().astype("float64")

    expected = cases_a_day(T.exp(logs), seen.shape[0])
    loss = T.mean(expected - seen * T.log(expected))  # minus Poisson's log-likelihood, up to a constant
    slopes = ct.function([logs, seen], [loss, T.grad(loss, logs)], name="slopes")

    begin = time.time()
    with ct.Progress(0, "fit") as progress:

        def measure(at):
            value, slope = slopes(at, cases)
            progress.advance(1, f"loss {value:.8g}")
            return float(value), slope

        found, losses = minimise(measure, np.log(GUESS), s.epochs, begin + s.seconds)
        calls = progress.done
    seconds = time.time() - begin
    print(f"{calls} gradients through {len(cases) * STEPS_A_DAY} steps in {seconds:.2f} s")
    for name, value, truth in zip(NAMES, np.exp(found), TRUTH):
        print(f"  {name}: {value:.4f}" + ("" if s.data else f" (made with {truth:g})"))

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "epidemic.npz", losses=losses, found=np.exp(found))
    day = np.arange(1.0, len(cases) + 1)
    figure = ct.Figure(900, 420)
    series = {"seen": (day, cases, True), "fitted": (day, expect(found, len(cases)))}
    figure.lines("Cases of each day", series, "day", "cases")
    for ending in ("png", "svg"):
        figure.save(output / f"epidemic.{ending}")


if __name__ == "__main__":
    main()
