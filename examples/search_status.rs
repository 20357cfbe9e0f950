//! What a search on a database looks like while it runs, from any machine.
//!
//! ```text
//! cargo run --release --features postgres --example search_status -- URL [STUDY]
//! ```
//!
//! Start `boston_grid_search --database URL` somewhere, and this beside it. What the URL leaves out comes from `PGHOST`,
//! `PGPASSWORD` and the other variables of libpq.

use linfa_mlp::model_selection::Postgres;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("the first argument must be the URL of the database")?;
    let study = args.next().unwrap_or_else(|| "boston".into());
    match Postgres::connect(url)?.study(&study).status()? {
        Some(status) => println!("{status}"),
        None => println!("nobody has begun the study {study}"),
    }
    Ok(())
}
