//! Which tables a query reads, as far as that shows without the query engine, which has the last word.

use std::collections::BTreeSet;

/// A piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A keyword or a bare name, in small letters, as the engine takes it.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// Any other character.
    Sign(char),
}

/// Functions that have a FROM of their own.
const OWN_FROM: [&str; 5] = ["extract", "substring", "trim", "overlay", "position"];
/// Words that end a FROM clause.
const CLAUSES: [&str; 13] = [
    "select",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "fetch",
    "window",
    "qualify",
    "union",
    "except",
    "intersect",
];
/// Words that may stand before a table.
const FILLERS: [&str; 2] = ["lateral", "only"];

/// The names behind FROM and JOIN that the query does not define itself.
pub(super) fn tables_read(query: &str) -> BTreeSet<String> {
    let tokens = tokens(query);
    let is_word =
        |index: usize, word: &str| matches!(tokens.get(index), Some(Token::Word(found)) if found == word);
    let is_sign = |index: usize, sign: char| tokens.get(index) == Some(&Token::Sign(sign));
    let mut read = BTreeSet::new();
    let mut defined = BTreeSet::new();
    // One entry for each open parenthesis: whether its FROM is a clause, and whether one is under way.
    let mut levels = vec![(true, false)];
    let mut is_table_next = false;
    for (index, token) in tokens.iter().enumerate() {
        let was_table_next = std::mem::take(&mut is_table_next);
        match token {
            Token::Sign('(') => {
                let before = index.checked_sub(1).and_then(|before| tokens.get(before));
                let has_own = matches!(before, Some(Token::Word(word)) if OWN_FROM.contains(&word.as_str()));
                levels.push((!has_own, was_table_next));
                // FROM (a JOIN b): the parenthesis holds tables, or a query whose words say so.
                is_table_next = was_table_next;
            }
            Token::Sign(')') if levels.len() > 1 => drop(levels.pop()),
            Token::Sign(',') => is_table_next = levels.last().is_some_and(|(_, in_from)| *in_from),
            Token::Word(word) if word == "from" || word == "join" => {
                let is_comparison = index.checked_sub(1).is_some_and(|before| is_word(before, "distinct"));
                if let Some((true, in_from)) = levels.last_mut().filter(|_| !is_comparison) {
                    *in_from = true;
                    is_table_next = true;
                }
            }
            Token::Word(word) if CLAUSES.contains(&word.as_str()) => {
                if let Some((_, in_from)) = levels.last_mut() {
                    *in_from = false;
                }
            }
            Token::Word(word) if was_table_next && FILLERS.contains(&word.as_str()) => is_table_next = true,
            Token::Word(name) | Token::Quoted(name) => {
                if is_word(index + 1, "as") && is_sign(index + 2, '(') {
                    defined.insert(name.clone());
                }
                let is_bare = !is_sign(index + 1, '(') && !is_sign(index + 1, '.');
                if was_table_next && is_bare && !matches!(name.as_str(), "with" | "values") {
                    read.insert(name.clone());
                }
            }
            Token::Sign(_) => {}
        }
    }
    read.difference(&defined).cloned().collect()
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '\'' | '"' | '`' => {
                let mut text = String::new();
                while let Some(next) = rest.next() {
                    if next == first && rest.next_if_eq(&first).is_none() {
                        break;
                    }
                    text.push(next);
                }
                // A text keeps its place as a sign, so that what stands around it does not run together.
                tokens.push(if first == '\'' { Token::Sign('\'') } else { Token::Quoted(text) });
            }
            '-' if rest.next_if_eq(&'-').is_some() => {
                rest.by_ref().take_while(|next| *next != '\n').for_each(drop);
            }
            '/' if rest.next_if_eq(&'*').is_some() => {
                let mut before = ' ';
                rest.by_ref()
                    .take_while(|next| {
                        let is_inside = !(before == '*' && *next == '/');
                        before = *next;
                        is_inside
                    })
                    .for_each(drop);
            }
            first if first.is_alphanumeric() || first == '_' => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    word.push(next);
                }
                tokens.push(Token::Word(word.to_lowercase()));
            }
            space if space.is_whitespace() => {}
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let found = tables_read(query);
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{query}");
    }

    #[test]
    fn tables_stand_behind_from_and_join() {
        check("SELECT a, b FROM Profiles p WHERE c IN (1, 2)", &["profiles"]);
        check("SELECT 1 FROM a, b AS x LEFT JOIN \"c\" USING (d, e), f ORDER BY g, h", &["a", "b", "c", "f"]);
        check("SELECT 1 FROM a JOIN (SELECT x, SUM(y) FROM o GROUP BY x, z) o ON o.x = a.x", &["a", "o"]);
        check("SELECT 1 FROM (a JOIN b ON a.x = b.x), c", &["a", "b", "c"]);
        check("WITH n AS (SELECT 1 FROM a), m AS (SELECT 2 FROM n) SELECT * FROM n JOIN m ON true", &["a"]);
        check("SELECT x FROM a UNION ALL SELECT y FROM b", &["a", "b"]);
        check("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x)", &["a", "b"]);
    }

    #[test]
    fn what_looks_like_a_table_is_none() {
        check("SELECT EXTRACT(YEAR FROM birthday), TRIM(BOTH ' ' FROM name) FROM a", &["a"]);
        check("SELECT 1 FROM a WHERE x IS DISTINCT FROM y", &["a"]);
        check("SELECT 'from b' FROM a -- FROM c\n/* FROM d */ WHERE 'it''s from e' = x", &["a"]);
        check("SELECT 1 FROM generate_series(1, 2), information_schema.tables", &[]);
        check("SELECT 1 FROM LATERAL (SELECT 1 FROM a) x", &["a"]);
        check("SELECT ')", &[]);
        check("", &[]);
    }
}
