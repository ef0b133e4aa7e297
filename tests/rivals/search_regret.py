"""Optuna's samplers and the package cmaes on the functions of `regret`: one line of JSON with the best values so far.

Functions have values 0, 1, … n - 1 for each parameter, u = i / (n - 1), as the searches of this repository see them.
"""

import argparse
import json
import math
import warnings

HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
HARTMANN_C = [1, 1.2, 3, 3.2]
SHIFT = [0.21, -0.47, 0.83, -0.12, 0.64, -0.91, 0.38, -0.29, 0.55, -0.73]


def branin(u):
    x, y = 15 * u[0] - 5, 15 * u[1]
    bend = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return bend * bend + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(u):
    terms = ((c, sum(a * (x - 1e-4 * p) ** 2 for a, x, p in zip(row, u, peak)))
             for c, row, peak in zip(HARTMANN_C, HARTMANN_A, HARTMANN_P))
    return -sum(c * math.exp(-distance) for c, distance in terms)


def rastrigin10(u):
    xs = (10.24 * x - 5.12 - 1.28 * s for x, s in zip(u, SHIFT))
    return sum(x * x - 10 * math.cos(2 * math.pi * x) + 10 for x in xs)


def problem(name, table):
    """Numbers of values, and the function of digits."""
    if name == "w4":
        grid = json.load(open(table))
        lens, losses = grid["lens"], grid["losses"]

        def loss(digits):
            index = 0
            for length, digit in zip(lens, digits):
                index = index * length + digit
            return losses[index]

        return lens, loss
    function, lens = {"branin": (branin, [1001] * 2), "hartmann6": (hartmann6, [201] * 6),
                      "rastrigin10": (rastrigin10, [81] * 10)}[name]
    return lens, lambda digits: function([d / (n - 1) for d, n in zip(digits, lens)])


def by_cmaes(lens, loss, trials, seed):
    import numpy as np
    from cmaes import CMA

    dimensions, values, restarts = len(lens), [], 0
    random = np.random.RandomState(seed)
    bounds = np.array([[0.0, 1.0]] * dimensions)
    search = CMA(mean=np.full(dimensions, 0.5), sigma=0.3, bounds=bounds, seed=seed)
    while len(values) < trials:
        solutions = []
        for _ in range(search.population_size):
            x = search.ask()
            values.append(loss([min(int(u * n), n - 1) for u, n in zip(x, lens)]))
            solutions.append((x, values[-1]))
        search.tell(solutions)
        if search.should_stop():
            restarts += 1
            search = CMA(mean=random.rand(dimensions), sigma=0.3, bounds=bounds, seed=seed + 1000 * restarts,
                         population_size=2 * search.population_size)
    return values[:trials]


def by_optuna(method, lens, loss, trials, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}
    study = optuna.create_study(sampler=samplers[method](seed=seed))
    values = []

    def objective(trial):
        values.append(loss([trial.suggest_int(f"p{i}", 0, n - 1) if n > 1 else 0 for i, n in enumerate(lens)]))
        return values[-1]

    study.optimize(objective, n_trials=trials)
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=["cmaes", "tpe", "gp"], required=True)
    parser.add_argument("--problem", required=True)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--table", help="JSON with the lengths and losses of a known grid")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    lens, loss = problem(asked.problem, asked.table)
    runs = []
    for seed in range(asked.seeds):
        if asked.method == "cmaes":
            values = by_cmaes(lens, loss, asked.trials, seed)
        else:
            values = by_optuna(asked.method, lens, loss, asked.trials, seed)
        best = math.inf
        runs.append([best := min(best, value) for value in values])
    print(json.dumps(runs))


if __name__ == "__main__":
    main()
