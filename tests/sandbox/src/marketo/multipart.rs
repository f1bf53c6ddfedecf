//! The file in a multipart body.
//!
//! <https://www.rfc-editor.org/rfc/rfc7578>

/// The content of the part named `file`; none if the body is not as the boundary says or has no such part.
pub(super) fn file<'a>(boundary: &str, body: &'a [u8]) -> Option<&'a [u8]> {
    if boundary.is_empty() {
        return None;
    }
    let opening = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.get(find(body, opening.as_bytes())?..)?.strip_prefix(opening.as_bytes())?;
    loop {
        let end = find(rest, between.as_bytes())?;
        let (part, after) = rest.split_at_checked(end)?;
        let head_end = find(part, b"\r\n\r\n")?;
        let (head, content) = part.split_at_checked(head_end)?;
        if is_file(head) {
            return content.strip_prefix(b"\r\n\r\n");
        }
        rest = after.strip_prefix(between.as_bytes())?.strip_prefix(b"\r\n")?;
    }
}

fn is_file(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.any(|(name, value)| {
        name.eq_ignore_ascii_case("content-disposition")
            && value.split(';').any(|part| part.trim() == "name=\"file\"")
            && value.trim().starts_with("form-data")
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        let found = file("b", body.as_bytes()).map(|content| String::from_utf8_lossy(content).into_owned());
        assert_eq!(found.as_deref(), expected, "{body:?}");
    }

    #[test]
    fn the_part_named_file() {
        let part = |name: &str, text: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        check(&format!("{}--b--\r\n", part("file", "a,b\r\n1,2\r\n")), Some("a,b\r\n1,2\r\n"));
        check(&format!("{}{}--b--", part("format", "csv"), part("file", "x--b")), Some("x--b"));
        check(&format!("{}--b--", part("format", "csv")), None);
        check("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nnever ends", None);
        check("email\na@example.com", None);
    }
}
