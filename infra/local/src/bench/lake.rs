//! A lake of valid profiles: half of them as Parquet, half as CSV.

use std::path::Path;

use crate::Error;
use crate::demo::{Person, write_profiles};
use crate::world::Bundle;

/// One person in this many changes in each round.
pub(crate) const CHANGED_OF: u64 = 100;

/// Fills the lake. In each round after round 0, one person in a hundred has moved.
pub(crate) async fn fill(bundle: &Bundle, rows: u64, round: u64) -> Result<(), Error> {
    let folder = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let (parquet, csv) = (folder.path().join("profiles.parquet"), folder.path().join("profiles.csv"));
    write_profiles(&parquet, (0..rows / 2).map(|number| person(number, round)))?;
    write_csv(&csv, (rows / 2..rows).map(|number| person(number, round)))?;
    bundle.upload("bench-parquet/profiles.parquet", &parquet).await?;
    bundle.upload("bench-csv/profiles.csv", &csv).await
}

/// Returns a customer whose key order differs from the order of the files.
pub(crate) fn person(number: u64, round: u64) -> Person {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Person {
        id: format!("{scattered:016x}"),
        email: Some(format!("person{number}@mail{}.example.com", number % 97)),
        name: format!("First{} Last{}", number % 1_000, number % 7_919),
        address: format!("{} Market Square, \"Old Town\"", number % 400),
        city: if round > 0 && number.is_multiple_of(CHANGED_OF) {
            format!("New City {round}")
        } else {
            format!("City {}", number % 311)
        },
        points: i64::try_from(number % 5_000).ok(),
        birthday: None,
        newsletter: true,
        contact_id: None,
        copies: 1,
    }
}

fn write_csv(path: &Path, persons: impl Iterator<Item = Person>) -> Result<(), Error> {
    let failed = |error: csv::Error| Error::Data(error.to_string());
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    writer.write_record(["customer_id", "email", "name", "address", "city", "points"]).map_err(failed)?;
    for person in persons {
        let points = person.points.unwrap_or_default().to_string();
        let email = person.email.unwrap_or_default();
        let record = [&person.id, &email, &person.name, &person.address, &person.city, &points];
        writer.write_record(record).map_err(failed)?;
    }
    writer.flush().map_err(Error::file(path))
}
