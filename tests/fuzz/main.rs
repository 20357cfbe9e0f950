//! Every reader is handed files that are cut, flipped, spliced and full of lies, with checksums that are wrong and with such as
//! are made right again: it gives an error or a value, never a panic, and takes no more memory than its bound.
//!
//! A reader is one line in [`readers`]. Each case follows from the seed, the reader's name and the case's number alone, so
//! that a failure can be looked at again.
//!
//! ```text
//! LINFA_MLP_FUZZ_CASES=100000 cargo test --test fuzz          # cases for each reader; 600 if it is not set
//! LINFA_MLP_FUZZ_SEED=7                                       # 0 if it is not set
//! LINFA_MLP_FUZZ_READER=npz                                   # readers whose name contains this
//! ```

#![allow(clippy::float_cmp)]

mod allocator;
mod backup;
mod checksum;
mod data_files;
mod exchange;
mod harness;
mod models;
mod mutate;
mod search;
mod texts;

use harness::Reader;

#[global_allocator]
static COUNTING: allocator::Counting = allocator::Counting;

/// Everything in this crate that reads what others may have written.
fn readers() -> Vec<Reader> {
    let mut readers = vec![
        models::run_with_every_state(),
        models::run_over_all_rows(),
        models::classifier_of_numbers(),
        models::classifier_of_texts(),
        models::regressor(),
        models::regressor_of_two_targets(),
        models::multilabel(),
        models::keras_model(),
        backup::backup(),
        search::journal(),
        search::state(),
        exchange::weights(),
        exchange::sklearn(),
        exchange::keras(),
        exchange::pytorch(),
        exchange::pytorch_activations(),
        data_files::idx(),
        data_files::idx_numbers(),
        data_files::npy(),
        texts::classifier_params(),
        texts::regressor_params(),
        texts::multilabel_params(),
        texts::network(),
        texts::optimizers(),
        texts::callbacks(),
        texts::history(),
        texts::results(),
        texts::fit_row(),
    ];
    #[cfg(feature = "csv")]
    readers.extend([data_files::csv_of_numbers(), data_files::csv_of_labels()]);
    #[cfg(feature = "gzip")]
    readers.extend([data_files::idx_gz(), data_files::npz_stored(), data_files::npz_deflated()]);
    #[cfg(feature = "tensorboard")]
    readers.push(data_files::events());
    readers
}

#[test]
fn no_file_makes_a_reader_panic_take_too_much_or_believe_a_damaged_one() {
    let setting = |name: &str| std::env::var(name).ok();
    let number = |name: &str| setting(name).map(|text| text.parse::<u64>().expect("a number"));
    let cases = number("LINFA_MLP_FUZZ_CASES");
    let seed = number("LINFA_MLP_FUZZ_SEED").unwrap_or(0);
    let chosen = setting("LINFA_MLP_FUZZ_READER").unwrap_or_default();
    let mut tried = 0;
    for reader in readers().iter().filter(|reader| reader.name.contains(&chosen)) {
        let tally = reader.fuzz(seed, cases.unwrap_or(600).div_ceil(reader.slowness));
        println!("{:24} {tally}", reader.name);
        // A reader that refuses everything, or believes everything, is not tried by its cases.
        assert!(cases.is_some() || (tally.accepted > 0 && tally.refused > 0), "{}: {tally}", reader.name);
        tried += tally.cases;
    }
    println!("{tried} cases in all");
}
