//! Ids of lists: read from what people write, and made of what a list is for.

use relay_model::{ExportId, ListId, SegmentId};
use uuid::{Builder, Uuid};

/// An id in any of the forms of a GUID, in one spelling.
pub(super) fn parse(list: &ListId) -> Option<Uuid> {
    Uuid::try_parse(list.0.trim()).ok().filter(|id| !id.is_nil())
}

/// The id of the list of an export's segment: whoever makes the list twice makes one. Where an earlier list of the
/// segment is gone, its id makes the new one another, for nobody is on a new list whom the old one had.
pub(super) fn of_segment(export: &ExportId, segment: &SegmentId, gone: Option<&Uuid>) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("segment-relay dynamics365-sales marketing list 1");
    // Neither id can have this character, so no two pairs write the same bytes.
    hasher.update(export.as_str().as_bytes()).update(b"/").update(segment.as_str().as_bytes());
    if let Some(gone) = gone {
        hasher.update(b"/").update(gone.as_bytes());
    }
    let mut bytes = [0_u8; 16];
    hasher.finalize_xof().fill(&mut bytes);
    // Version 8 is for ids that are made in a way of one's own (RFC 9562, section 5.8).
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(export: &str, segment: &str, gone: Option<&Uuid>) -> Uuid {
        let export = ExportId::try_from(export.to_owned()).unwrap();
        of_segment(&export, &SegmentId::try_from(segment.to_owned()).unwrap(), gone)
    }

    #[test]
    fn a_segments_list_has_one_id() {
        let first = id("newsletter", "vip", None);
        assert_eq!(first.to_string(), "b7d5d32b-5575-8987-bae9-d73af557554f");
        assert_eq!(first, id("newsletter", "vip", None));
        let second = id("newsletter", "vip", Some(&first));
        let others = [first, second, id("newsletter", "vip2", None), id("newslettervip", "vip", None)];
        for (number, one) in others.iter().enumerate() {
            assert!(others.iter().skip(number + 1).all(|other| one != other), "{others:?}");
            assert_eq!((one.get_version_num(), one.get_variant()), (8, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn ids_are_read_in_any_form() {
        let check = |text: &str, expected: Option<&str>| {
            let found = parse(&ListId(text.to_owned())).map(|id| id.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        let id = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        check(id, Some(id));
        check("{6F9619FF-8B86-D011-B42D-00C04FC964FF} ", Some(id));
        check("6f9619ff8b86d011b42d00c04fc964ff", Some(id));
        check("00000000-0000-0000-0000-000000000000", None);
        check("6f9619ff-8b86-d011-b42d-00c04fc964ff)/../contacts", None);
        check("", None);
    }
}
