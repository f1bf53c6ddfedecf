//! One column of a sample, sorted into a few bins.

use crate::model::Scalar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The bin of whoever has no value.
pub(super) const UNKNOWN: u8 = 0;
/// A value that fewer people of the sample have is among the others: what a handful have says nothing, and names them.
const LEAST_PEOPLE: u32 = 10;
/// Numbers are cut into so many parts of about the same size.
const NUMBER_PARTS: usize = 8;
/// Days are cut into so many.
const DAY_PARTS: usize = 5;
/// Cuts have so many places behind the point at the most, so that they can be written.
const PLACES: f64 = 1e6;
/// The longest text that is a value among a few; anything longer is prose.
const MAX_TEXT_BYTES: usize = 200;
/// A code for "no value".
const NO_CODE: u32 = u32::MAX;

/// A column of a sample that can tell something.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its name.
    pub column: String,
    /// What its bins are.
    pub kind: FeatureKind,
    /// The bin of each row; 0 where there is no value.
    pub bins: Vec<u8>,
    /// The number of each row, or how many days before today its day is; NaN where there is none.
    pub numbers: Vec<f64>,
}

/// What the bins of a column are, from bin 1 on.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureKind {
    /// One each of these texts, and a last one for all others.
    Texts(Vec<String>),
    /// True and false.
    Truths([bool; 2]),
    /// Numbers below the first cut, those from it on and below the second, and so on.
    Numbers(Vec<f64>),
    /// Days that are at the most so many days before today, those that are earlier and at the most so many as the second
    /// cut says, and so on.
    Days(Vec<i32>),
}

impl Feature {
    /// How many bins there are, with that of no value and that of others.
    #[must_use]
    pub fn bins_count(&self) -> usize {
        match &self.kind {
            FeatureKind::Texts(texts) => texts.len() + 2,
            FeatureKind::Truths(_) => 3,
            FeatureKind::Numbers(cuts) => cuts.len() + 2,
            FeatureKind::Days(cuts) => cuts.len() + 2,
        }
    }
}

/// The values of one column while the rows come.
#[derive(Debug)]
pub(super) struct Collector {
    column: String,
    most_texts: usize,
    today: Date,
    /// Texts by their code, while they are few.
    texts: Option<HashMap<String, u32>>,
    codes: Vec<u32>,
    numbers: Vec<f64>,
    days: Vec<f64>,
    has_truths: bool,
    known: usize,
    of_numbers: usize,
    of_days: usize,
}

impl Collector {
    pub(super) fn new(column: String, most_texts: usize, today: Date) -> Self {
        Self {
            column,
            most_texts,
            today,
            texts: Some(HashMap::new()),
            codes: Vec::new(),
            numbers: Vec::new(),
            days: Vec::new(),
            has_truths: false,
            known: 0,
            of_numbers: 0,
            of_days: 0,
        }
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// Whether every value that there is is a day.
    pub(super) const fn holds_days(&self) -> bool {
        self.known > 0 && self.of_days == self.known
    }

    pub(super) fn observe(&mut self, value: &Scalar) {
        let text = match value {
            Scalar::Text(text) => Some(text.as_str()),
            Scalar::Boolean(truth) => {
                self.has_truths = true;
                Some(if *truth { "true" } else { "false" })
            }
            _ => None,
        };
        let (number, day) = match value {
            Scalar::Text(text) => (plain_number(text), plain_day(text)),
            Scalar::Integer(number) => (to_float(*number), None),
            Scalar::Decimal(number) => (Some(*number).filter(|number| number.is_finite()), None),
            Scalar::Date(day) => (None, Some(*day)),
            Scalar::Moment(moment) => (None, Some(moment.to_zoned(TimeZone::UTC).date())),
            Scalar::Null | Scalar::Boolean(_) => (None, None),
        };
        let day = day.map(|day| f64::from((self.today - day).get_days()));
        self.known += usize::from(!matches!(value, Scalar::Null));
        self.of_numbers += usize::from(number.is_some());
        self.of_days += usize::from(day.is_some());
        self.numbers.push(number.unwrap_or(f64::NAN));
        self.days.push(day.unwrap_or(f64::NAN));
        let code = text.map_or(NO_CODE, |text| self.code(text));
        self.codes.push(code);
    }

    fn code(&mut self, text: &str) -> u32 {
        let Some(texts) = &mut self.texts else { return NO_CODE };
        if let Some(code) = texts.get(text) {
            return *code;
        }
        if texts.len() >= self.most_texts || text.len() > MAX_TEXT_BYTES {
            self.texts = None;
            return NO_CODE;
        }
        let code = u32::try_from(texts.len()).unwrap_or(NO_CODE);
        texts.insert(text.to_owned(), code);
        code
    }

    /// The column in bins, or why it tells nothing.
    pub(super) fn finish(self) -> Result<Feature, String> {
        let known = self.known;
        if known == 0 {
            return Err("has no value".to_owned());
        }
        let feature = if self.of_numbers == known {
            self.into_numbers()
        } else if self.of_days == known {
            self.into_days()
        } else {
            self.into_texts()?
        };
        let first = feature.bins.first().copied().unwrap_or(UNKNOWN);
        if feature.bins.iter().all(|bin| *bin == first) {
            return Err("has the same value for nearly everybody".to_owned());
        }
        Ok(feature)
    }

    fn into_numbers(self) -> Feature {
        let cuts = cuts(&self.numbers, NUMBER_PARTS, |value| (value * PLACES).round() / PLACES, is_from);
        let bins = self.numbers.iter().map(|number| bin(*number, &cuts, is_from));
        let bins = bins.collect();
        Feature { column: self.column, kind: FeatureKind::Numbers(cuts), bins, numbers: self.numbers }
    }

    fn into_days(self) -> Feature {
        let cuts = cuts(&self.days, DAY_PARTS, |days| days, is_before);
        let bins = self.days.iter().map(|days| bin(*days, &cuts, is_before)).collect();
        let cuts = cuts.iter().map(|cut| whole(*cut)).collect();
        Feature { column: self.column, kind: FeatureKind::Days(cuts), bins, numbers: self.days }
    }

    fn into_texts(self) -> Result<Feature, String> {
        let most = self.most_texts;
        let texts =
            self.texts.ok_or_else(|| format!("has more than {most} different values, or long ones"))?;
        let mut counts = vec![0_u32; texts.len()];
        let place = |code: u32| usize::try_from(code).ok();
        for code in &self.codes {
            if let Some(count) = place(*code).and_then(|code| counts.get_mut(code)) {
                *count += 1;
            }
        }
        let count = |code: u32| place(code).and_then(|code| counts.get(code)).copied().unwrap_or_default();
        let mut frequent: Vec<(&String, u32)> = texts
            .iter()
            .map(|(text, code)| (text, *code))
            .filter(|(_, code)| count(*code) >= LEAST_PEOPLE)
            .collect();
        frequent.sort();
        let others = u8::try_from(frequent.len() + 1).unwrap_or(u8::MAX);
        let bins: HashMap<u32, u8> = frequent.iter().map(|(_, code)| *code).zip(1..).collect();
        let bin = |code: &u32| match *code {
            NO_CODE => UNKNOWN,
            code => bins.get(&code).copied().unwrap_or(others),
        };
        let bins = self.codes.iter().map(bin).collect();
        let texts: Vec<String> = frequent.into_iter().map(|(text, _)| text.clone()).collect();
        let kind = match texts.as_slice() {
            [no, yes] if self.has_truths && no == "false" && yes == "true" => {
                FeatureKind::Truths([false, true])
            }
            _ => FeatureKind::Texts(texts),
        };
        Ok(Feature { column: self.column, kind, bins, numbers: Vec::new() })
    }
}

/// Whether a number is beyond a cut: from it on.
fn is_from(number: f64, cut: f64) -> bool {
    number >= cut
}

/// Whether a day is beyond a cut: earlier.
fn is_before(days_ago: f64, cut: f64) -> bool {
    days_ago > cut
}

/// Where the known values are cut into parts of about the same size. A cut that all or none are beyond is none.
fn cuts(
    values: &[f64],
    parts: usize,
    round: impl Fn(f64) -> f64,
    is_beyond: impl Fn(f64, f64) -> bool,
) -> Vec<f64> {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let at = |part: usize| known.get(known.len() * part / parts).copied().map(&round);
    let mut cuts: Vec<f64> = (1..parts).filter_map(at).collect();
    cuts.dedup_by(|one, other| one.total_cmp(other).is_eq());
    cuts.retain(|cut| {
        known.iter().any(|value| is_beyond(*value, *cut))
            && !known.iter().all(|value| is_beyond(*value, *cut))
    });
    cuts
}

/// One more than the cuts that the value is beyond.
fn bin(value: f64, cuts: &[f64], is_beyond: impl Fn(f64, f64) -> bool) -> u8 {
    if value.is_nan() {
        return UNKNOWN;
    }
    let beyond = cuts.iter().filter(|cut| is_beyond(value, **cut)).count();
    u8::try_from(beyond + 1).unwrap_or(u8::MAX)
}

/// A number as people write amounts; not what only looks like one (a leading zero is part of a code).
fn plain_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = whole.len() > 1 && whole.starts_with('0');
    if text.len() > 18 || is_code || !is_plain(whole) || !is_plain(rest) {
        return None;
    }
    text.parse().ok()
}

/// A day, or the day of a moment, as ISO 8601 writes them.
fn plain_day(text: &str) -> Option<Date> {
    let is_day = text.get(..10).is_some_and(|day| day.bytes().filter(|byte| *byte == b'-').count() == 2);
    text.parse().ok().filter(|_| is_day && text.len() <= 35)
}

fn to_float(number: i64) -> Option<f64> {
    // Nobody writes a number that has more digits than a float, and cuts need not be exact.
    number.to_string().parse().ok()
}

/// A whole number that came from one.
fn whole(value: f64) -> i32 {
    format!("{value:.0}").parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn finish(values: &[Scalar]) -> Result<Feature, String> {
        let mut collector = Collector::new("a".to_owned(), 4, date(2026, 3, 1));
        for value in values {
            collector.observe(value);
        }
        collector.finish()
    }

    fn texts(values: &[(&str, usize)]) -> Vec<Scalar> {
        let all = values.iter().flat_map(|(text, count)| std::iter::repeat_n(*text, *count));
        all.map(|text| Scalar::Text(text.to_owned())).collect()
    }

    #[test]
    fn columns_are_taken_for_what_their_values_are() {
        let check = |values: &[Scalar], expected: Result<FeatureKind, &str>| {
            assert_eq!(finish(values).map(|feature| feature.kind), expected.map_err(str::to_owned));
        };
        let kinds =
            |names: &[&str]| FeatureKind::Texts(names.iter().map(|name| (*name).to_owned()).collect());
        check(&texts(&[("Wien", 10), ("Graz", 12)]), Ok(kinds(&["Graz", "Wien"])));
        check(&texts(&[("Wien", 10), ("Graz", 9)]), Ok(kinds(&["Wien"])));
        check(&texts(&[("0170", 10), ("0171", 12)]), Ok(kinds(&["0170", "0171"])));
        check(&texts(&[("1", 10), ("2", 12)]), Ok(FeatureKind::Numbers(vec![2.0])));
        check(&texts(&[("1", 10), ("much", 12)]), Ok(kinds(&["1", "much"])));
        check(&texts(&[("2026-02-28", 10), ("2026-02-19T10:00:00", 12)]), Ok(FeatureKind::Days(vec![1])));
        check(&texts(&[("1", 20)]), Err("has the same value for nearly everybody"));
        check(&[Scalar::Null], Err("has no value"));
        let five = [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)];
        check(&texts(&five), Err("has more than 4 different values, or long ones"));
        let truths: Vec<Scalar> = (0..30).map(|place| Scalar::Boolean(place % 2 == 0)).collect();
        check(&truths, Ok(FeatureKind::Truths([false, true])));
        let numbers: Vec<Scalar> = (0..80).map(Scalar::Integer).collect();
        check(&numbers, Ok(FeatureKind::Numbers((1..8).map(|part| f64::from(part) * 10.0).collect())));
    }

    #[test]
    fn every_row_is_in_one_bin() {
        let mut values = texts(&[("a", 10), ("b", 10), ("c", 1)]);
        values.push(Scalar::Null);
        let feature = finish(&values).unwrap();
        let expected = [vec![1; 10], vec![2; 10], vec![3], vec![UNKNOWN]].concat();
        assert_eq!((&feature.bins, feature.bins_count()), (&expected, 4));
        let mut values: Vec<Scalar> = (0..8).map(Scalar::Integer).collect();
        values.push(Scalar::Null);
        let feature = finish(&values).unwrap();
        assert_eq!(feature.bins, [1, 2, 3, 4, 5, 6, 7, 8, UNKNOWN]);
    }

    #[test]
    fn numbers_are_what_is_written_as_one() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(plain_number(text), expected, "{text}");
        check("0", Some(0.0));
        check("-1.50", Some(-1.5));
        check("0.5", Some(0.5));
        for text in ["", "-", ".5", "5.", "1e5", "inf", "NaN", "007", "1,5", " 1", "1234567890123456789"] {
            check(text, None);
        }
    }
}
