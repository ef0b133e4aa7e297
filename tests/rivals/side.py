"""What both rivals' scripts share: arguments, prices, exact ties, results."""

import argparse
import csv
import json
import resource


def arguments(description):
    """The command line of a rival's script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="CSV: time, symbol, open, high, low, close, volume")
    parser.add_argument("--fast", required=True, help="periods FIRST:LAST:STEP")
    parser.add_argument("--slow", required=True, help="periods FIRST:LAST:STEP")
    parser.add_argument("--fees", type=float, required=True, help="part of the value traded")
    parser.add_argument("--cash", type=float, required=True)
    parser.add_argument("--out", help="CSV for each trial's return, equity and counts")
    parser.add_argument("--ties", action="store_true", help="count bars on which averages are equal in exact arithmetic")
    parser.add_argument("--warm", type=int, default=0, help="further runs in this process")
    parser.add_argument("--engine", default="numba", help="vectorbt's engine: numba or rust")
    parser.add_argument("--chunk", type=int, default=0, help="pairs in one call; 0 for all")
    return parser.parse_args()


def periods(text):
    """FIRST:LAST:STEP, both ends included."""
    first, last, step = map(int, text.split(":"))
    return list(range(first, last + 1, step))


def ties(columns, fast, slow):
    """Bars on which the averages of a pair are equal in exact arithmetic, over all symbols.

    Prices are whole cents, so sums are exact. There the last bit of a running mean decides, and programs may differ.
    """
    import numpy as np

    count = 0
    for close in columns:
        cents = np.rint(close[~np.isnan(close)] * 100).astype(np.int64)
        total = np.concatenate([[0], np.cumsum(cents)])
        if len(cents) >= max(fast, slow):
            ends = np.arange(max(fast, slow), len(cents) + 1)
            count += int(np.sum((total[ends] - total[ends - fast]) * slow == (total[ends] - total[ends - slow]) * fast))
    return count


def write(path, rows):
    """One row a trial: p0, p1, total_return, final_equity, orders, trades, ties."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["p0", "p1", "total_return", "final_equity", "orders", "trades", "ties"])
        writer.writerows([repr(float(x)) for x in row] for row in rows)


def finish(**figures):
    """The last line of a script: its figures."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(dict(figures, peak_rss_mb=round(peak, 1))))
