//! A measure as the command line has it.

use serde_json::{Value, json};

use super::discoveries::fields;
use crate::error::Error;

/// A measure of the command line as the API has it: `NAME=FUNCTION:SOURCE.MEMBER_KEY[:COLUMN][@DAY[/DAYS]]`.
pub(super) fn read(measure: &str) -> Result<Value, Error> {
    let refuse = || {
        Error::Input(format!(
            "--measure {measure}: write NAME=FUNCTION:SOURCE.MEMBER_KEY, and behind it :COLUMN to add up, @DAY for the day's \
             column and /DAYS for so many days back"
        ))
    };
    let (name, rest) = measure.split_once('=').ok_or_else(refuse)?;
    let (rest, day) = rest.split_once('@').map_or((rest, None), |(rest, day)| (rest, Some(day)));
    let (function, rest) = rest.split_once(':').ok_or_else(refuse)?;
    let (place, column) = rest.split_once(':').map_or((rest, None), |(place, column)| (place, Some(column)));
    let (source, member_key) = place.split_once('.').ok_or_else(refuse)?;
    let (day, days) = day
        .map(|day| day.split_once('/').map_or((day, None), |(day, days)| (day, Some(days))))
        .map_or((None, None), |(day, days)| (Some(day), days));
    let days = days.map(|days| days.parse::<u32>().map_err(|_| refuse())).transpose()?;
    Ok(fields([
        ("name", Some(json!(name))),
        ("function", Some(json!(function))),
        ("source", Some(json!(source))),
        ("member_key", Some(json!(member_key))),
        ("column", column.map(|column| json!(column))),
        ("day", day.map(|day| json!(day))),
        ("within_last_days", days.map(|days| json!(days))),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_read_as_people_write_them() {
        let check = |measure: &str, fields: Value| {
            let mut expected = json!({ "name": "n", "source": "orders", "member_key": "customer_id" });
            for (field, value) in fields.as_object().unwrap() {
                expected[field] = value.clone();
            }
            assert_eq!(read(measure).unwrap(), expected, "{measure}");
        };
        check("n=count:orders.customer_id", json!({ "function": "count" }));
        check("n=sum:orders.customer_id:total", json!({ "function": "sum", "column": "total" }));
        check("n=latest:orders.customer_id@day", json!({ "function": "latest", "day": "day" }));
        check(
            "n=sum:orders.customer_id:total@day/90",
            json!({ "function": "sum", "column": "total", "day": "day", "within_last_days": 90 }),
        );
        for wrong in ["count", "n=count", "n=count:orders", "n=count:orders.customer_id@day/many"] {
            let Err(Error::Input(message)) = read(wrong) else { panic!("{wrong} is taken") };
            assert!(message.starts_with(&format!("--measure {wrong}: write NAME=")), "{message}");
        }
    }
}
