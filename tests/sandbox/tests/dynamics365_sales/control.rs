//! Options as JSON.

use sandbox::dynamics365_sales::Options;

#[test]
fn options_are_read_from_json() {
    let options: Options = serde_json::from_str(
        r#"{ "time_scale": 20.0, "missing_actions": ["remove_list_members_list"], "protection": null,
             "execution": { "add_base_ms": 200 }, "removed_strangers": "ignored" }"#,
    )
    .unwrap();
    assert!(options.protection.is_none() && options.missing_actions.len() == 1);
    assert!(serde_json::from_str::<Options>(r#"{ "timescale": 1 }"#).is_err());
}
