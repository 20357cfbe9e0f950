//! Backups, which a fit reads by itself.

use std::fs;

use linfa_mlp::callback::AnyCallback;
use linfa_mlp::error::Error;
use linfa_mlp::prelude::*;
use linfa_mlp::train::{Data, Plan, Rows, Run, Until};

use crate::checksum;
use crate::harness::Reader;
use crate::models;

/// Trains to the end of the third epoch, with power cuts when it is told to.
fn fit(folder: &std::path::Path, cut_in: usize) -> Result<Vec<u8>, Error> {
    let cut = OnEpochEnd::new(move |view| match view.epoch() == cut_in {
        true => Err(Error::NoRows { array: "power" }),
        false => Ok(()),
    });
    let callbacks: Vec<AnyCallback> = vec![cut.into(), Backup::to(folder).every_batches(2).into()];
    let (x, y) = (models::rows::<f64>(12, 2), models::rows::<f64>(12, 1));
    let data = Data { training: Rows::new(x.view(), y.view())?, validation: None };
    let mut run = Run::new(Plan { callbacks, ..models::plan() }, 2)?;
    run.advance(&data, Until::epochs(3))?;
    run.to_bytes()
}

/// One of two backups is damaged: the fit goes on from the other one, to the same bytes. With a checksum made right
/// it may have been made to believe anything, and still does not panic.
pub fn backup() -> Reader {
    let folder = tempfile::tempdir().expect("a folder");
    let straight = fit(folder.path(), 0).expect("it trains");
    fit(folder.path(), 3).expect_err("the power is cut");
    let mut paths: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let kept: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a backup")).collect();
    assert_eq!(kept.len(), 2);
    let seeds = vec![kept[1].clone()];
    Reader::new("backup", seeds, move |bytes| {
        fs::write(&paths[0], &kept[0]).expect("the folder can be written");
        fs::write(&paths[1], bytes).expect("the folder can be written");
        let ended = fit(folder.path(), 0);
        for path in &paths {
            let _ = fs::remove_file(path);
        }
        match ended {
            // A backup that is none gives way to the one before, which is refused as well as any.
            Ok(end) => (bytes == kept[1] || end != straight).then_some(end),
            Err(
                Error::Callback { .. }
                | Error::Diverged { .. }
                | Error::Format { .. }
                | Error::Parameter { .. },
            ) => None,
            Err(other) => panic!("{other}"),
        }
    })
    .sealed_by(checksum::frame)
    .factor(512)
    .slow(10)
}
