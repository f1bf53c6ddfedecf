//! What the instance has for leads: fields and partitions.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>

use super::answer::Answer;
use super::auth::Caller;
use super::fields::Access;
use super::value_check::type_name;
use super::world::World;
use serde_json::{Value, json};

/// The older form. `readOnly` is false even for the id, as in recorded answers.
pub(super) fn describe(world: &World) -> Answer {
    let rows: Vec<Value> = world
        .fields
        .iter()
        .map(|(number, field)| {
            let name = &field.name;
            let mut row = json!({
                "id": u32::from(number) + 1,
                "displayName": field.display_name,
                "dataType": type_name(field.data_type),
                "rest": { "name": name, "readOnly": false },
                "soap": { "name": name, "readOnly": false },
            });
            add_length(&mut row, field.length);
            row
        })
        .collect();
    Answer::result(&rows)
}

/// The newer form, which says what can be searched for and written.
pub(super) fn describe2(world: &World) -> Answer {
    let searchable = world.fields.iter().filter(|(_, field)| field.is_searchable);
    let searchable: Vec<[&str; 1]> = searchable.map(|(_, field)| [field.name.as_str()]).collect();
    let fields: Vec<Value> = world
        .fields
        .iter()
        .map(|(_, field)| {
            let mut row = json!({
                "name": field.name,
                "displayName": field.display_name,
                "dataType": type_name(field.data_type),
                "updateable": field.access != Access::ReadOnly,
                "crmManaged": field.is_crm_managed,
            });
            add_length(&mut row, field.length);
            row
        })
        .collect();
    Answer::result(&[json!({ "name": "API Lead", "searchableFields": searchable, "fields": fields })])
}

fn add_length(row: &mut Value, length: Option<u32>) {
    if let (Some(length), Some(row)) = (length, row.as_object_mut()) {
        row.insert("length".to_owned(), length.into());
    }
}

/// The partitions that the caller sees.
pub(super) fn partitions(world: &World, caller: &Caller) -> Answer {
    let seen = world.partitions.iter().filter(|partition| world.sees(caller, partition.id));
    let rows: Vec<Value> =
        seen.map(|partition| json!({ "id": partition.id, "name": partition.name })).collect();
    Answer::result(&rows)
}
