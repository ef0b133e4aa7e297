//! Where a new worker runs first.
//!
//! A thread that was just started often shares a processor with the one that started it, and stays there for
//! milliseconds while another processor is idle: the system spreads threads only now and then, and whole searches are over
//! before. Here a worker asks once to be somewhere else; afterwards it may run wherever the process may.

/// The processor that the calling thread runs on, where that is known.
pub fn here() -> Option<usize> {
    #[cfg(target_os = "linux")]
    return Some(rustix::thread::sched_getcpu());
    #[cfg(not(target_os = "linux"))]
    None
}

/// Moves the calling thread to the `steps`-th processor after `from` among those that the process may use. It is not held
/// there. Where that cannot be done, it stays where it is.
#[cfg(target_os = "linux")]
pub fn away_from(from: usize, steps: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(all) = sched_getaffinity(None) else { return };
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| all.is_set(cpu)).collect();
    let Some(place) = allowed.iter().position(|&cpu| cpu == from) else { return };
    let mut one = CpuSet::new();
    one.set(allowed[(place + steps) % allowed.len()]);
    if sched_setaffinity(None, &one).is_ok() {
        // If this failed, nothing but the choice of processors would be lost.
        let _ = sched_setaffinity(None, &all);
    }
}

/// Elsewhere the system is not asked.
#[cfg(not(target_os = "linux"))]
pub fn away_from(_from: usize, _steps: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn a_thread_that_was_moved_may_run_wherever_it_could_before() {
        let allowed = || {
            let all = rustix::thread::sched_getaffinity(None).unwrap();
            (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| all.is_set(cpu)).collect::<Vec<_>>()
        };
        let (before, from) = (allowed(), here().unwrap());
        for steps in 0..=before.len() {
            away_from(from, steps);
            assert_eq!(allowed(), before);
        }
        away_from(usize::MAX, 1);
        assert_eq!(allowed(), before);
    }
}
