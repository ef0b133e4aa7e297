"""SMA crossovers by vectorbt: all pairs as columns of one portfolio, symbols of a pair in one account.

A pair's weight of a symbol is 1/n while its fast average is above the slow one, else 0; orders are placed where that
changes, and fill at that close. This is the fastest spelling that was found: averages once per period by vectorbt's own
kernel, frames without indexes, and a few pairs in each call, which is faster than all at once and takes less memory. With
several symbols it is `from_orders` with sizes that are NaN where nothing is ordered; with one symbol `from_signals`
without groups, which gives the same orders in less time.
"""

import time

started = time.perf_counter()
import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.generic import nb as generic

import side

imported = time.perf_counter()


def averages(close, periods):
    """Rolling means of every period, by vectorbt's kernel: NaN until a window is full."""
    out = {}
    for period in periods:
        columns = []
        for column in close.T:
            mean = np.full(len(column), np.nan)
            first = np.argmax(~np.isnan(column))
            mean[first:] = generic.rolling_mean_1d_nb(np.ascontiguousarray(column[first:]), period, period)
            columns.append(mean)
        out[period] = np.column_stack(columns)
    return out


def sizes(means, pairs, symbols):
    """Target weights of all pairs side by side, NaN where the signal is what it was."""
    rows = len(next(iter(means.values())))
    out = np.full((rows, len(pairs) * symbols), np.nan)
    for k, (fast, slow) in enumerate(pairs):
        held = (means[fast] > means[slow]).astype(np.int8)
        held[np.isnan(means[fast]) | np.isnan(means[slow])] = -1
        before = np.vstack([np.full((1, symbols), -1, np.int8), held[:-1]])
        changed = (held != before) & (held >= 0)
        part = out[:, k * symbols : (k + 1) * symbols]
        part[changed] = held[changed] / symbols
    return out


def accounts(close, means, part, args):
    """A portfolio with one account for each pair, its symbols sharing the cash."""
    symbols = close.shape[1]
    wide = pd.DataFrame(np.tile(close, (1, len(part))), copy=False)
    same = dict(fees=args.fees, init_cash=args.cash, freq="1D", engine=args.engine)
    if symbols == 1:
        held = np.column_stack([(means[fast] > means[slow])[:, 0] for fast, slow in part])
        before = np.vstack([np.zeros((1, len(part)), bool), held[:-1]])
        return vbt.Portfolio.from_signals(wide, held & ~before, ~held & before, **same)
    return vbt.Portfolio.from_orders(
        wide,
        size=sizes(means, part, symbols),
        size_type="targetpercent",
        group_by=np.repeat(np.arange(len(part)), symbols),
        cash_sharing=True,
        call_seq="auto",
        **same,
    )


def run(close, pairs, args):
    """Return, final equity, orders, round trips, Sharpe ratio and drawdown of every pair."""
    means = averages(close, sorted({period for pair in pairs for period in pair}))
    chunk = args.chunk or len(pairs)
    rows = []
    for first in range(0, len(pairs), chunk):
        part = pairs[first : first + chunk]
        portfolio = accounts(close, means, part, args)
        total, final = portfolio.total_return().to_numpy(), portfolio.final_value().to_numpy()
        orders, trades = portfolio.orders.count().to_numpy(), portfolio.trades.closed.count().to_numpy()
        portfolio.sharpe_ratio(), portfolio.max_drawdown()
        rows += [(*pair, total[k], final[k], orders[k], trades[k]) for k, pair in enumerate(part)]
    return rows


def main():
    args = side.arguments(__doc__)
    began = time.perf_counter()
    bars = pd.read_csv(args.data, usecols=["time", "symbol", "close"])
    close = bars.pivot(index="time", columns="symbol", values="close").to_numpy(float)
    read = time.perf_counter()
    pairs = [(fast, slow) for fast in side.periods(args.fast) for slow in side.periods(args.slow)]
    rows, times = [], []
    for _ in range(1 + args.warm):
        start = time.perf_counter()
        rows = run(close, pairs, args)
        times.append(time.perf_counter() - start)
    if args.out:
        count = lambda pair: side.ties(close.T, *pair) if args.ties else 0
        side.write(args.out, [(*row, count(row[:2])) for row in rows])
    side.finish(
        program="vectorbt",
        version=vbt.__version__,
        engine=args.engine,
        trials=len(pairs),
        rows=int(np.sum(~np.isnan(close))),
        import_s=imported - started,
        read_s=read - began,
        first_s=times[0],
        warm_s=min(times[1:], default=None),
    )


if __name__ == "__main__":
    main()
