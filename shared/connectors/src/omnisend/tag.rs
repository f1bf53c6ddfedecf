//! The tag that a segment becomes. Pure.

use super::options::TagOptions;
use crate::WantedList;
use relay_model::ListId;

/// The longest tag, as the vendor's own plugin has it (<https://github.com/omnisend/wp-omnisend>).
pub(super) const MAX_CHARACTERS: usize = 128;

/// A tag, and what people should know of how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) tag: String,
    pub(super) notices: Vec<String>,
}

/// The tag of a wanted list; an error says what is wrong with an explicit one.
///
/// A segment that is renamed keeps the tag that people already carry, unless the export's options name another one.
pub(super) fn choose(options: &TagOptions, list: &WantedList) -> Result<Chosen, &'static str> {
    match list {
        WantedList::Existing(ListId(tag)) => explicit(tag),
        WantedList::OfSegment { segment, name, known } => {
            let wanted = of_segment(options, segment.as_str(), name);
            let Some(ListId(known)) = known.as_ref().filter(|known| known.0 != wanted) else {
                return Ok(Chosen { tag: wanted, notices: Vec::new() });
            };
            let prefix = normalised(&options.prefix);
            if options.name.is_none() && known.starts_with(prefix.trim_start()) {
                let notice = format!("the segment was renamed; its people keep the tag \"{known}\"");
                return Ok(Chosen { tag: known.clone(), notices: vec![notice] });
            }
            let notice = format!(
                "the tag is no longer \"{known}\": who carries that one keeps it until somebody removes it in Omnisend"
            );
            Ok(Chosen { tag: wanted, notices: vec![notice] })
        }
    }
}

/// An explicit tag may be one that is there already, so it may have any character that can be read.
fn explicit(tag: &str) -> Result<Chosen, &'static str> {
    let tag = tag.trim();
    if tag.is_empty() || tag.chars().count() > MAX_CHARACTERS || tag.chars().any(char::is_control) {
        return Err("segments[].target_list must be a tag: 1 to 128 characters");
    }
    Ok(Chosen { tag: tag.to_owned(), notices: Vec::new() })
}

fn of_segment(options: &TagOptions, segment: &str, name: &str) -> String {
    let name = options.name.as_deref().unwrap_or(name).trim();
    // Names of other scripts would all become the same row of dashes; the segment's id is one of a kind.
    let name =
        if name.is_empty() || name.chars().any(|character| !is_taken(character)) && is_other_script(name) {
            segment
        } else {
            name
        };
    let tag = normalised(&format!("{}{name}", options.prefix));
    tag.trim().chars().take(MAX_CHARACTERS).collect::<String>().trim_end().to_owned()
}

/// Whether less than half of a name can be written in a tag.
fn is_other_script(name: &str) -> bool {
    let taken = name.chars().filter(char::is_ascii_alphanumeric).count();
    taken * 2 < name.chars().filter(|character| !character.is_whitespace()).count()
}

/// What a new tag may have: the vendor's own plugin cleans tags so, and its documents show tags with colons
/// (`source: shopify`, <https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts>).
const fn is_taken(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | ' ' | ':')
}

fn normalised(text: &str) -> String {
    text.chars().map(|character| if is_taken(character) { character } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::SegmentId;

    fn of(name: &str, known: Option<&str>) -> WantedList {
        WantedList::OfSegment {
            segment: SegmentId::try_from("high-value".to_owned()).unwrap(),
            name: name.to_owned(),
            known: known.map(|known| ListId(known.to_owned())),
        }
    }

    #[track_caller]
    fn check(prefix: &str, name: Option<&str>, list: &WantedList, expected: Result<(&str, usize), &str>) {
        let options = TagOptions { prefix: prefix.to_owned(), name: name.map(str::to_owned) };
        let found = choose(&options, list);
        let found = found.as_ref().map(|found| (found.tag.as_str(), found.notices.len()));
        assert_eq!(found, expected.as_ref().copied(), "{list:?}");
    }

    #[test]
    fn a_segment_becomes_a_tag_that_omnisend_takes() {
        check("", None, &of("High value", None), Ok(("High value", 0)));
        check("ci: ", None, &of("High value", None), Ok(("ci: High value", 0)));
        check("ci: ", Some("VIP"), &of("High value", None), Ok(("ci: VIP", 0)));
        check("ci/", None, &of("50% off & more", None), Ok(("ci-50- off - more", 0)));
        check("", None, &of("Großkunden", None), Ok(("Gro-kunden", 0)));
        check("ci: ", None, &of("優良顧客", None), Ok(("ci: high-value", 0)));
        check("", None, &of("  ", None), Ok(("high-value", 0)));
        let long = "x".repeat(200);
        check("", None, &of(&long, None), Ok((long.get(..128).unwrap(), 0)));
    }

    #[test]
    fn a_renamed_segment_keeps_its_tag() {
        check("ci: ", None, &of("High value", Some("ci: High value")), Ok(("ci: High value", 0)));
        check("ci: ", None, &of("Best people", Some("ci: High value")), Ok(("ci: High value", 1)));
        check("new: ", None, &of("High value", Some("ci: High value")), Ok(("new: High value", 1)));
        check("ci: ", Some("VIP"), &of("High value", Some("ci: High value")), Ok(("ci: VIP", 1)));
    }

    #[test]
    fn an_explicit_tag_is_taken_as_it_is() {
        let explicit = |tag: &str| WantedList::Existing(ListId(tag.to_owned()));
        check("ci: ", None, &explicit(" Größe/XL "), Ok(("Größe/XL", 0)));
        let problem = "segments[].target_list must be a tag: 1 to 128 characters";
        check("", None, &explicit(" "), Err(problem));
        check("", None, &explicit("a\nb"), Err(problem));
        check("", None, &explicit(&"x".repeat(129)), Err(problem));
    }
}
