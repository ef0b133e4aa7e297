//! Ends the program at random moments, resumes it until its study is complete, and compares every file with a study that
//! was never ended. Ends with `torture: N kills, N identical, N lost`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sandtable_core::{Error, Result};
use sandtable_tests::torture::ends::{self, Signal};
use sandtable_tests::torture::{Bench, Count, disk};

/// End the program at random moments and compare what comes of its study.
#[derive(Parser)]
struct Arguments {
    /// Processes that are killed (SIGKILL).
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// Processes that are asked to end (SIGTERM).
    #[arg(long, default_value_t = 0)]
    terms: u64,
    /// Run on file systems in memory that are too small, too; needs the right to mount.
    #[arg(long)]
    full_disk: bool,
    /// Seed of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program [default: `sandtable` beside this one].
    #[arg(long)]
    program: Option<PathBuf>,
}

/// File systems that are too small.
const DISKS: u64 = 12;

fn program(arguments: &Arguments) -> Result<PathBuf> {
    let beside = || {
        let own = std::env::current_exe().ok()?;
        Some(own.parent()?.join(format!("sandtable{}", std::env::consts::EXE_SUFFIX)))
    };
    let program = arguments.program.clone().or_else(beside).unwrap_or_else(|| "sandtable".into());
    // It is started in another folder.
    std::path::absolute(&program).ok().filter(|path| path.exists()).ok_or_else(|| {
        Error::machine(format!("there is no program `{}`", program.display()))
            .help("build it with `cargo build`, in the same profile, or name it with --program")
    })
}

fn tell(what: &str, ends: &str, count: Count) -> bool {
    println!("{what}: {} {ends}, {} identical, {} lost", count.ends, count.identical, count.lost);
    count.holds()
}

fn run(arguments: &Arguments) -> Result<bool> {
    let scratch = tempfile::tempdir().map_err(|error| Error::machine(format!("no scratch folder: {error}")))?;
    let bench = Bench::new(&program(arguments)?, scratch.path())?;
    let (takes, trials) = bench.size();
    println!("a study of {trials} trials, {} ms from start to end", takes.as_millis());
    let mut holds = true;
    if arguments.full_disk {
        match disk::run(&bench, DISKS, arguments.seed)? {
            Ok(count) => holds &= tell("full disk", "disks", count),
            Err(why) => println!("full disk: skipped, no file system could be mounted: {why}"),
        }
    }
    if arguments.terms > 0 {
        holds &= tell("SIGTERM", "ends", ends::run(&bench, Signal::Term, arguments.terms, arguments.seed)?);
    }
    let count = ends::run(&bench, Signal::Kill, arguments.kills, arguments.seed)?;
    Ok(tell("torture", "kills", count) && holds)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
