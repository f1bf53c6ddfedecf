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
    let kinds = |names: &[&str]| FeatureKind::Texts(names.iter().map(|name| (*name).to_owned()).collect());
    check(&texts(&[("Wien", 10), ("Graz", 12)]), Ok(kinds(&["Graz", "Wien"])));
    check(&texts(&[("Wien", 10), ("Graz", 9)]), Ok(kinds(&["Wien"])));
    check(&texts(&[("0170", 10), ("0171", 12)]), Ok(kinds(&["0170", "0171"])));
    check(&texts(&[("1", 10), ("2", 12)]), Ok(FeatureKind::Numbers(vec![2.0])));
    check(&texts(&[("0.7", 10), ("0.9", 12), ("", 30)]), Ok(FeatureKind::Numbers(vec![0.8])));
    check(&texts(&[("5000.17", 10), ("5230.18", 12)]), Ok(FeatureKind::Numbers(vec![5100.0])));
    check(&texts(&[("1", 100), ("2", 100), ("many", 2)]), Ok(FeatureKind::Numbers(vec![2.0])));
    check(
        &texts(&[("2026-02-28T23:30:00-05:00", 10), ("2026-02-20T10:00:00Z", 12)]),
        Ok(FeatureKind::Days(vec![0])),
    );
    check(&texts(&[("1", 10), ("much", 12)]), Ok(kinds(&["1", "much"])));
    check(&texts(&[("2026-02-28", 10), ("2026-02-19T10:00:00", 12)]), Ok(FeatureKind::Days(vec![1])));
    check(&texts(&[("1", 20)]), Err("has the same value for nearly everybody"));
    check(&[Scalar::Null], Err("has no value"));
    let five = [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)];
    check(&texts(&five), Err("has more than 4 different values, or long ones"));
    let truths: Vec<Scalar> = (0..30).map(|place| Scalar::Boolean(place % 2 == 0)).collect();
    check(&truths, Ok(FeatureKind::Truths([false, true])));
    let numbers: Vec<Scalar> = (0..80).map(Scalar::Integer).collect();
    let rare: Vec<Scalar> = (0..30).map(|place| Scalar::Boolean(place == 0)).collect();
    check(&rare, Ok(FeatureKind::Truths([false, true])));
    let ids: Vec<Scalar> = (0..100).map(|number| Scalar::Integer(436_641_234_000 + number)).collect();
    check(&ids, Err("has long numbers that are nearly all different, as ids are"));
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
    for text in ["", "-", ".5", "5.", "1e5", "inf", "NaN", "007", "1,5", " 1", &"1".repeat(41)] {
        check(text, None);
    }
}
