//! One column of a sample, sorted into a few bins.

use crate::Scalar;
use jiff::Timestamp;
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
/// Whole numbers with so many digits that are nearly all different are ids.
const ID_AT_LEAST: f64 = 100_000.0;
/// A column holds numbers, or days, where so many of a hundred of its values are some; the others are not known.
const MOST_OF_100: usize = 99;
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
    /// Whether there are values that are neither numbers nor days, so that who is in bin 0 need not be without a value.
    pub has_odd_values: bool,
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
    /// Of them, empty texts, which say nothing of what the others are.
    empty: usize,
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
            empty: 0,
            of_numbers: 0,
            of_days: 0,
        }
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// Whether nearly every value that there is is a day.
    pub(super) fn holds_days(&self) -> bool {
        self.are_most(self.of_days)
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
        self.empty += usize::from(matches!(value, Scalar::Text(text) if text.is_empty()));
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
        let feature = self.into_feature()?;
        let first = feature.bins.first().copied().unwrap_or(UNKNOWN);
        if feature.bins.iter().all(|bin| *bin == first) {
            return Err("has the same value for nearly everybody".to_owned());
        }
        Ok(feature)
    }

    /// The column in bins, though they may be one, or why it has none.
    pub(super) fn into_feature(self) -> Result<Feature, String> {
        if self.known == 0 {
            return Err("has no value".to_owned());
        }
        if self.are_most(self.of_numbers) {
            self.into_numbers()
        } else if self.holds_days() {
            Ok(self.into_days())
        } else {
            self.into_texts()
        }
    }

    /// Whether so many values are nearly all that say something.
    fn are_most(&self, some: usize) -> bool {
        some > 0 && some * 100 >= (self.known - self.empty) * MOST_OF_100
    }

    fn into_numbers(self) -> Result<Feature, String> {
        let mut known: Vec<f64> = self.numbers.iter().copied().filter(|number| !number.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        let is_whole = known.iter().all(|number| number.fract().abs() < f64::EPSILON);
        let different = 1 + known.windows(2).filter(|pair| pair.first() < pair.last()).count();
        let is_large = known.last().is_some_and(|largest| *largest >= ID_AT_LEAST);
        if is_whole && is_large && different * 100 > known.len() * 95 {
            return Err("has long numbers that are nearly all different, as ids are".to_owned());
        }
        let at = |part: usize| known.get(known.len() * part / NUMBER_PARTS).copied();
        let mut cuts: Vec<f64> = (1..NUMBER_PARTS)
            .filter_map(at)
            .filter_map(|number| cut_before(&known, number, is_whole))
            .collect();
        cuts.dedup_by(|one, other| one.total_cmp(other).is_eq());
        let has_odd_values = self.of_numbers != self.known;
        let bins = self.numbers.iter().map(|number| bin(*number, &cuts, is_from)).collect();
        let kind = FeatureKind::Numbers(cuts);
        Ok(Feature { column: self.column, kind, bins, numbers: self.numbers, has_odd_values })
    }

    fn into_days(self) -> Feature {
        let mut known: Vec<f64> = self.days.iter().copied().filter(|day| !day.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        let at = |part: usize| known.get(known.len() * part / DAY_PARTS).copied();
        let mut cuts: Vec<f64> = (1..DAY_PARTS).filter_map(at).collect();
        cuts.dedup_by(|one, other| one.total_cmp(other).is_eq());
        // A cut that nobody is beyond is none.
        cuts.retain(|cut| known.last().is_some_and(|longest| longest > cut));
        let has_odd_values = self.of_days != self.known;
        let bins = self.days.iter().map(|days| bin(*days, &cuts, is_before)).collect();
        let kind = FeatureKind::Days(cuts.iter().map(|cut| whole(*cut)).collect());
        Feature { column: self.column, kind, bins, numbers: self.days, has_odd_values }
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
        if self.has_truths {
            let bin = |code: &u32| {
                let text = texts.iter().find(|(_, known)| *known == code).map(|(text, _)| text.as_str());
                text.map_or(UNKNOWN, |text| if text == "true" { 2 } else { 1 })
            };
            let bins = self.codes.iter().map(bin).collect();
            let kind = FeatureKind::Truths([false, true]);
            return Ok(Feature {
                column: self.column,
                kind,
                bins,
                numbers: Vec::new(),
                has_odd_values: false,
            });
        }
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
        let kind = FeatureKind::Texts(frequent.into_iter().map(|(text, _)| text.clone()).collect());
        Ok(Feature { column: self.column, kind, bins, numbers: Vec::new(), has_odd_values: false })
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

/// The shortest number that parts this one, and all above it, from those below; nothing where there are none below. It is
/// no value of anybody, unless they are whole numbers that leave no room.
pub(super) fn cut_before(sorted: &[f64], number: f64, is_whole: bool) -> Option<f64> {
    let below = sorted.partition_point(|value| *value < number).checked_sub(1)?;
    let below = sorted.get(below).copied()?;
    let middle = if is_whole { number } else { f64::midpoint(below, number) };
    let written = (0..=16).filter_map(|digits| format!("{middle:.digits$e}").parse::<f64>().ok());
    let mut fits =
        written.filter(|cut| *cut > below && if is_whole { *cut <= number } else { *cut < number });
    fits.next().or(Some(number))
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
    if text.len() > 40 || is_code || !is_plain(whole) || !is_plain(rest) {
        return None;
    }
    text.parse().ok()
}

/// A day, or the day of a moment, as ISO 8601 writes them; of a moment with an offset, the day of UTC.
fn plain_day(text: &str) -> Option<Date> {
    let is_day = text.get(..10).is_some_and(|day| day.bytes().filter(|byte| *byte == b'-').count() == 2);
    if !is_day || text.len() > 35 {
        return None;
    }
    let moment = text.parse::<Timestamp>().ok().map(|moment| moment.to_zoned(TimeZone::UTC).date());
    moment.or_else(|| text.parse().ok())
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
#[path = "feature_tests.rs"]
mod tests;
