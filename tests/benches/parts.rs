//! Parts of a trial on their own, on one thread: what its metrics cost.

use divan::Bencher;
use divan::counter::ItemsCount;
use sandtable_core::metrics::{self, Account, Benchmark, Counters, NO_TRADES};
use sandtable_core::rng::Stream;

fn main() {
    divan::main();
}

/// Items are sessions.
#[divan::bench(args = [252, 5223])]
fn all_metrics(bencher: Bencher, sessions: usize) {
    let mut random = Stream::new(1, [0, 0]);
    let mut worth = 100_000.0;
    let mut equity = Vec::new();
    for _ in 0..sessions {
        worth *= 1.0 + 0.01 * random.normal() + 0.0003;
        equity.push(worth);
    }
    let benchmark = Benchmark::new((0..sessions).map(|_| 0.012 * random.normal()).collect());
    let dates: Vec<i32> = (0..sessions as i32).collect();
    let account = Account {
        initial_cash: 100_000.0,
        equity: &equity,
        dates: &dates,
        benchmark: Some(&benchmark),
        trades: &NO_TRADES,
        periods_per_year: 252.0,
        risk_free: 0.0,
        mar: 0.0,
        counters: Counters::default(),
    };
    let (mut memory, mut out) = (metrics::Workspace::default(), Vec::new());
    bencher.counter(ItemsCount::new(sessions)).bench_local(|| {
        metrics::evaluate(&account, &mut memory, &mut out);
        out[0]
    });
}
