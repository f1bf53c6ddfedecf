//! `$metadata`: the tables and actions that are here, in CSDL.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-service-documents>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-actions>

use super::options::{ListAction, Options, RemoveMemberParameter};
use super::tables::{CONTACTS, Kind, LIST_MEMBERS, LISTS, Table};

/// The document, as XML.
pub(super) fn document(options: &Options) -> String {
    let mut schema = String::from("<EntityType Name=\"crmbaseentity\" Abstract=\"true\" />");
    let tables = [&LISTS, &CONTACTS, &LIST_MEMBERS];
    for table in tables {
        schema.push_str(&entity_type(table));
    }
    for action in ListAction::ALL.into_iter().filter(|action| !options.missing_actions.contains(action)) {
        schema.push_str(&declaration(action, options.remove_member_parameter));
    }
    schema.push_str("<ComplexType Name=\"AddMemberListResponse\"><Property Name=\"Id\" Type=\"Edm.Guid\" /></ComplexType>");
    schema.push_str("<EntityContainer Name=\"System\">");
    for Table { set, name, .. } in tables {
        let entity_set = format!("<EntitySet Name=\"{set}\" EntityType=\"Microsoft.Dynamics.CRM.{name}\" />");
        schema.push_str(&entity_set);
    }
    schema.push_str("</EntityContainer>");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>\
         <Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" \
         xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">{schema}</Schema></edmx:DataServices></edmx:Edmx>"
    )
}

fn entity_type(table: &Table) -> String {
    let property = |(name, kind): &(&str, Kind)| {
        let kind = match kind {
            Kind::Id => "Edm.Guid",
            Kind::Text => "Edm.String",
            Kind::Number => "Edm.Int32",
            Kind::Flag => "Edm.Boolean",
            Kind::Moment => "Edm.DateTimeOffset",
        };
        format!("<Property Name=\"{name}\" Type=\"{kind}\" />")
    };
    let properties: String = table.columns.iter().map(property).collect();
    let navigation = if table.name == "list" {
        "<NavigationProperty Name=\"listcontact_association\" Type=\"Collection(mscrm.contact)\" />"
    } else {
        ""
    };
    format!(
        "<EntityType Name=\"{}\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"{}\" /></Key>\
         {properties}{navigation}</EntityType>",
        table.name, table.key
    )
}

fn declaration(action: ListAction, remove_member: RemoveMemberParameter) -> String {
    let name = action.name();
    let one = "<Parameter Name=\"entity\" Type=\"mscrm.list\" Nullable=\"false\" />";
    let contact = "<Parameter Name=\"EntityId\" Type=\"Edm.Guid\" Nullable=\"false\" />";
    match action {
        ListAction::AddListMembersList | ListAction::RemoveListMembersList => format!(
            "<Action Name=\"{name}\"><Parameter Name=\"List\" Type=\"mscrm.list\" Nullable=\"false\" />\
             <Parameter Name=\"Members\" Type=\"Collection(mscrm.crmbaseentity)\" Nullable=\"false\" /></Action>"
        ),
        ListAction::AddMemberList => format!(
            "<Action Name=\"{name}\" IsBound=\"true\">{one}{contact}\
             <ReturnType Type=\"mscrm.AddMemberListResponse\" Nullable=\"false\" /></Action>"
        ),
        ListAction::RemoveMemberList => {
            let parameter = match remove_member {
                RemoveMemberParameter::EntityId => contact,
                RemoveMemberParameter::ListMember => {
                    "<Parameter Name=\"ListMember\" Type=\"mscrm.listmember\" Nullable=\"false\" />"
                }
            };
            format!("<Action Name=\"{name}\" IsBound=\"true\">{one}{parameter}</Action>")
        }
    }
}
