//! What counts as an e-mail address: a plain and conservative reading, since the vendors publish none.

const LONGEST_ADDRESS_BYTES: usize = 254;
const LONGEST_LOCAL_PART_BYTES: usize = 64;
const LONGEST_LABEL_BYTES: usize = 63;

/// Whether this is an address that the server takes.
pub(crate) fn is_valid(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    address.len() <= LONGEST_ADDRESS_BYTES && is_local_part(local) && is_domain(domain)
}

/// The form by which addresses are compared: `A@B.example` and `a@b.example` are one person.
pub(crate) fn key(address: &str) -> String {
    address.to_lowercase()
}

fn is_local_part(local: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=LONGEST_LOCAL_PART_BYTES).contains(&local.len())
        && local.bytes().all(allowed)
        && local.split('.').all(|atom| !atom.is_empty())
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((rest, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let is_top = top.len() >= 2
        && (top.starts_with("xn--") || top.bytes().all(|byte| byte.is_ascii_alphabetic()))
        && is_label(top);
    is_top && rest.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: bool) {
        assert_eq!(is_valid(address), expected, "{address:?}");
    }

    #[test]
    fn addresses() {
        check("a@b.co", true);
        check("First.Last+tag@Sub.Example.COM", true);
        check("o'neil_=%@example.xn--p1ai", true);
        check(&format!("{}@example.com", "a".repeat(64)), true);
        check(&format!("{}@example.com", "a".repeat(65)), false);
        check(&format!("a@{}.com", "b.".repeat(130)), false);
        check("", false);
        check("a", false);
        check("@b.co", false);
        check("a@b", false);
        check("example+1@example", false);
        check("a@@b.co", false);
        check("a@b@c.co", false);
        check("a b@c.co", false);
        check(" a@b.co", false);
        check("a@b.co\n", false);
        check("a..b@c.co", false);
        check(".a@b.co", false);
        check("a.@b.co", false);
        check("a@b..co", false);
        check("a@-b.co", false);
        check("a@b.c", false);
        check("a@b.12", false);
        check("a@b,c.co", false);
        check("\"a\"@b.co", false);
        check("é@b.co", false);
    }
}
