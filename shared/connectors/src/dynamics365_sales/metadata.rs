//! Which actions on members an organisation has.
//!
//! They belong to Dynamics 365 Sales, and documents differ about which of them the Web API has; `$metadata` is the
//! organisation's own word for it
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-service-documents>).

use serde::{Deserialize, Serialize};

/// How members are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adding {
    /// `AddListMembersList`: many in one call.
    #[default]
    Many,
    /// `AddMemberList`: one by one.
    OneByOne,
}

/// How members are removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removing {
    /// `RemoveListMembersList`: many in one call.
    #[default]
    Many,
    /// `RemoveMemberList`: one by one, the contact in the parameter `ListMember`.
    OneByOneAsListMember,
    /// `RemoveMemberList`: one by one, the contact in the parameter `EntityId`.
    OneByOneAsEntity,
}

/// What an organisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) adding: Option<Adding>,
    pub(super) removing: Option<Removing>,
}

impl Actions {
    /// Reads the document. It is large and read once, so it is searched rather than parsed.
    pub(super) fn read(document: &str) -> Self {
        let has = |name: &str| declaration(document, name);
        let adding = if has("AddListMembersList").is_some() {
            Some(Adding::Many)
        } else {
            has("AddMemberList").map(|_| Adding::OneByOne)
        };
        let removing = if has("RemoveListMembersList").is_some() {
            Some(Removing::Many)
        } else {
            has("RemoveMemberList").map(|action| {
                if action.contains("Name=\"EntityId\"") {
                    Removing::OneByOneAsEntity
                } else {
                    Removing::OneByOneAsListMember
                }
            })
        };
        Self { adding, removing }
    }
}

/// What an action's declaration says.
fn declaration<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<Action Name=\"{name}\""))?;
    Some(rest.split_once("</Action>").map_or(rest, |(action, _)| action))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD_MANY: &str =
        r#"<Action Name="AddListMembersList"><Parameter Name="List" Type="mscrm.list"/></Action>"#;
    const REMOVE_MANY: &str = r#"<Action Name="RemoveListMembersList"><Parameter Name="List"/></Action>"#;
    const ADD_ONE: &str =
        r#"<Action Name="AddMemberList" IsBound="true"><Parameter Name="EntityId"/></Action>"#;
    const REMOVE_ONE: &str =
        r#"<Action Name="RemoveMemberList" IsBound="true"><Parameter Name="ListMember"/></Action>"#;
    const REMOVE_ENTITY: &str =
        r#"<Action Name="RemoveMemberList" IsBound="true"><Parameter Name="EntityId"/></Action>"#;

    #[track_caller]
    fn check(actions: &[&str], adding: Option<Adding>, removing: Option<Removing>) {
        let document = format!("<edmx:Edmx>{}</edmx:Edmx>", actions.concat());
        assert_eq!(Actions::read(&document), Actions { adding, removing }, "{document}");
    }

    #[test]
    fn many_at_once_where_the_organisation_can() {
        let (one, many) = (Some(Adding::OneByOne), Some(Adding::Many));
        check(&[ADD_ONE, REMOVE_ONE, ADD_MANY, REMOVE_MANY], many, Some(Removing::Many));
        check(&[REMOVE_ONE, ADD_ONE], one, Some(Removing::OneByOneAsListMember));
        check(&[ADD_MANY, REMOVE_ENTITY], many, Some(Removing::OneByOneAsEntity));
        check(&[REMOVE_ONE, ADD_MANY], many, Some(Removing::OneByOneAsListMember));
        check(&[ADD_MANY], many, None);
        check(&[], None, None);
    }
}
