"""SMA crossovers of one symbol by backtesting.py, one backtest for each pair.

It buys with all cash at the open after the fast average crosses above the slow one and closes at the open after it
crosses below. Averages are computed once a backtest by pandas, its documented way.
"""

import time

started = time.perf_counter()
import warnings

import pandas as pd
from backtesting import Backtest, Strategy, __version__, backtesting

import side

imported = time.perf_counter()
warnings.filterwarnings("ignore")
# Progress bars cost time and say nothing here.
backtesting._tqdm = lambda items, **_: items


class Crossover(Strategy):
    fast = 10
    slow = 20

    def init(self):
        mean = lambda values, n: pd.Series(values).rolling(n).mean()
        self.a = self.I(mean, self.data.Close, self.fast)
        self.b = self.I(mean, self.data.Close, self.slow)

    def next(self):
        a, b = self.a, self.b
        if a[-2] < b[-2] and a[-1] > b[-1]:
            self.position.close()
            self.buy()
        elif a[-2] > b[-2] and a[-1] < b[-1]:
            self.position.close()


def main():
    args = side.arguments(__doc__)
    began = time.perf_counter()
    bars = pd.read_csv(args.data)
    bars = bars[bars.symbol == bars.symbol.iloc[0]]
    bars.index = pd.to_datetime(bars.time, unit="us")
    bars = bars.rename(columns=str.capitalize)[["Open", "High", "Low", "Close", "Volume"]]
    read = time.perf_counter()
    pairs = [(fast, slow) for fast in side.periods(args.fast) for slow in side.periods(args.slow)]
    rows, times = [], []
    for _ in range(1 + args.warm):
        start = time.perf_counter()
        backtest = Backtest(bars, Crossover, cash=args.cash, commission=args.fees, finalize_trades=True)
        rows = []
        for fast, slow in pairs:
            stats = backtest.run(fast=fast, slow=slow)
            trades = int(stats["# Trades"])
            rows.append((fast, slow, stats["Return [%]"] / 100, stats["Equity Final [$]"], 2 * trades, trades))
        times.append(time.perf_counter() - start)
    if args.out:
        count = lambda pair: side.ties([bars.Close.to_numpy()], *pair) if args.ties else 0
        side.write(args.out, [(*row, count(row[:2])) for row in rows])
    side.finish(
        program="backtesting.py",
        version=__version__,
        engine="Python",
        trials=len(pairs),
        rows=len(bars),
        import_s=imported - started,
        read_s=read - began,
        first_s=times[0],
        warm_s=min(times[1:], default=None),
    )


if __name__ == "__main__":
    main()
