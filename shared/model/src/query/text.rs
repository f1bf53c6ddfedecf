//! Parses an author's text into one SELECT, or an error.

use super::error::TextError;
use super::words::one_line;
use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The maximum length of a query, in bytes.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// The maximum nesting depth of parentheses and cases.
const MAX_DEPTH: usize = 50;
/// The maximum nesting depth of subqueries. The planning time doubles with each level.
const MAX_SUBQUERY_DEPTH: usize = 10;
/// The parser's own depth limit. It counts several steps per level, and its error is easily lost, so it is
/// checked here first.
const MAX_PARSER_DEPTH: usize = 500;
/// The maximum number of operators: a chain of operators becomes a plan as deep as it is long.
const MAX_OPERATORS: usize = 500;
/// The maximum number of joins, unions and subqueries, which take planning time too.
const MAX_RELATIONS: usize = 100;
/// The maximum number of tokens that the parser may visit, counting repeated visits.
const MAX_STEPS: u64 = 500_000;

/// Parses one SELECT. Recurses as deeply as the query is nested, so callers need a large stack.
pub fn parse(text: &str) -> Result<Statement, TextError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(TextError::TooLong { bytes: text.len(), limit_bytes: MAX_QUERY_BYTES });
    }
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| TextError::from(&ParserError::from(error)))?;
    let mut significant =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).peekable();
    let first = significant.find(|token| token.token != Token::LParen).map(|token| &token.token);
    match first {
        None | Some(Token::EOF) => return Err(TextError::Empty),
        Some(Token::SemiColon) if significant.peek().is_none() => return Err(TextError::Empty),
        Some(Token::Word(word)) if is_select(&word.value) => {}
        Some(other) => {
            return Err(TextError::NotASelect { keyword: one_line(&other.to_string(), 30) });
        }
    }
    if !is_moderate(&tokens) || steps(&tokens) > MAX_STEPS {
        return Err(TextError::TooDeep);
    }
    let mut statements = Parser::new(&GenericDialect {})
        .with_recursion_limit(MAX_PARSER_DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| TextError::from(&error))?;
    match (statements.len(), statements.pop()) {
        (1, Some(statement @ Statement::Query(_))) => Ok(statement),
        (1, Some(other)) => {
            let text = other.to_string();
            Err(TextError::NotASelect { keyword: one_line(text.split(' ').next().unwrap_or_default(), 30) })
        }
        (0, _) | (_, None) => Err(TextError::Empty),
        (count, _) => Err(TextError::SeveralStatements { count }),
    }
}

/// Returns whether nesting and chains are small enough to be planned quickly.
fn is_moderate(tokens: &[TokenWithSpan]) -> bool {
    // For each open parenthesis or case: whether it contains a subquery.
    let mut open: Vec<bool> = Vec::new();
    let (mut operators, mut relations) = (0, 0);
    for token in tokens {
        match &token.token {
            Token::LParen => open.push(false),
            Token::RParen => drop(open.pop()),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => open.push(false),
                Keyword::END => drop(open.pop()),
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS => operators += 1,
                Keyword::SELECT | Keyword::JOIN | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                    relations += 1;
                    if let Some(is_subquery) = open.last_mut() {
                        *is_subquery |= word.keyword == Keyword::SELECT;
                    }
                }
                _ => {}
            },
            Token::Whitespace(_)
            | Token::Comma
            | Token::Period
            | Token::Number(..)
            | Token::SingleQuotedString(_) => {}
            _ => operators += 1,
        }
        let subqueries = open.iter().filter(|is_subquery| **is_subquery).count();
        if open.len() > MAX_DEPTH || subqueries > MAX_SUBQUERY_DEPTH {
            return false;
        }
    }
    operators <= MAX_OPERATORS && relations <= MAX_RELATIONS
}

/// Returns an upper bound of the parser's token visits.
///
/// In some places the parser backtracks and reads the same tokens again: in brackets after a special word
/// (`CAST(`, `POSITION(`) or in braces, in parentheses around a subquery (`((SELECT`), and after
/// `INTERVAL`. Each open one doubles the work for its content.
fn steps(tokens: &[TokenWithSpan]) -> u64 {
    // For each open bracket.
    let mut doublings: Vec<u32> = Vec::new();
    let mut parentheses_in_a_row = 0;
    let mut word_doublings = 0;
    // The intervals whose value has not been read yet.
    let mut intervals = 0;
    let mut has_value = false;
    let mut steps: u64 = 0;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let opens = matches!(token.token, Token::LParen | Token::LBracket | Token::LBrace);
        if opens {
            let braces = u32::from(token.token == Token::LBrace);
            doublings.push(word_doublings + intervals + braces);
        }
        if opens || has_value {
            intervals = 0;
        }
        (word_doublings, has_value) = (0, false);
        match &token.token {
            Token::RParen | Token::RBracket | Token::RBrace => drop(doublings.pop()),
            Token::Word(word) => match word.keyword {
                Keyword::NoKeyword => has_value = true,
                Keyword::SELECT | Keyword::WITH => {
                    let outer = doublings.iter_mut().rev().take(parentheses_in_a_row).skip(1);
                    outer.for_each(|doubling| *doubling = 1);
                }
                Keyword::INTERVAL => intervals += 1,
                // The parser tries a third alternative too.
                Keyword::POSITION => word_doublings = 2,
                keyword => word_doublings = u32::from(is_read_twice(keyword)),
            },
            Token::Number(..) | Token::SingleQuotedString(_) => has_value = true,
            _ => {}
        }
        parentheses_in_a_row = if token.token == Token::LParen { parentheses_in_a_row + 1 } else { 0 };
        let doublings = doublings.iter().sum::<u32>() + intervals;
        steps = steps.saturating_add(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
    }
    steps
}

/// Returns whether the parser tries the word's special syntax first and then, if that fails, a function
/// call.
const fn is_read_twice(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::ARRAY
            | Keyword::BOX
            | Keyword::CASE
            | Keyword::CAST
            | Keyword::CEIL
            | Keyword::CIRCLE
            | Keyword::CONVERT
            | Keyword::CURRENT_DATE
            | Keyword::CURRENT_TIME
            | Keyword::CURRENT_TIMESTAMP
            | Keyword::EXISTS
            | Keyword::EXTRACT
            | Keyword::FLOOR
            | Keyword::LAMBDA
            | Keyword::LINE
            | Keyword::LOCALTIME
            | Keyword::LOCALTIMESTAMP
            | Keyword::LSEG
            | Keyword::MAP
            | Keyword::MATCH
            | Keyword::NOT
            | Keyword::OVERLAY
            | Keyword::PATH
            | Keyword::POINT
            | Keyword::POLYGON
            | Keyword::PRIOR
            | Keyword::SAFE_CAST
            | Keyword::STRUCT
            | Keyword::SUBSTR
            | Keyword::SUBSTRING
            | Keyword::TRIM
            | Keyword::TRY_CAST
            | Keyword::TRY_CONVERT
    )
}

fn is_select(word: &str) -> bool {
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    }

    #[track_caller]
    fn check(text: &str, is_taken: bool) {
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().unwrap();
        assert_eq!(steps(&tokens) <= MAX_STEPS, is_taken, "{} steps: {text}", steps(&tokens));
    }

    #[test]
    fn what_would_be_read_again_and_again_is_refused() {
        // Each level doubles the parser's time, or worse: twenty take a second, thirty a quarter of an
        // hour.
        let values = [
            "position(",
            "overlay(",
            "cast(",
            "try_cast(",
            "convert(",
            "extract(",
            "substring(",
            "ceil(",
            "array[",
            "case(",
            "not(",
            "current_date(",
        ];
        for open in values {
            let close = if open.ends_with('[') { "]" } else { ")" };
            check(&format!("SELECT {} FROM t", nested(open, "a b", close, 20)), false);
            check(&format!("SELECT {} FROM t", nested(open, "a", close, 5)), true);
        }
        for open in ["interval ", "interval - ", "interval f(", "interval ("] {
            let close = if open.ends_with('(') { ")" } else { "" };
            check(&format!("SELECT {} FROM t", nested(open, "*", close, 20)), false);
        }
        let tables = [
            ("((select * from ", ") x)"),
            ("(((select * from ", ") x))"),
            ("((with y as (select 1) select * from ", ") x)"),
        ];
        for (open, close) in tables {
            check(&format!("SELECT a FROM {}", nested(open, "t", close, 20)), false);
            check(&format!("SELECT a FROM {}", nested(open, "t", close, 3)), true);
        }
    }

    #[test]
    fn what_people_write_is_read() {
        let many = |one: &str, times: usize| vec![one; times].join(" AND ");
        check(&format!("SELECT a FROM t WHERE {}", many("b > now() - INTERVAL '1 day'", 100)), true);
        check(
            &format!("SELECT a FROM t WHERE {}", many("CAST(TRIM(SUBSTRING(b, 1, 4)) AS INT) > 5", 100)),
            true,
        );
        check(&format!("SELECT a FROM t WHERE {}", nested("(", "b", " AND c)", 45)), true);
        check(&format!("SELECT {} FROM t", nested("lower(", "b", ")", 45)), true);
        check(&format!("SELECT a FROM {}", nested("(SELECT * FROM ", "t", ") x", 10)), true);
        check(
            &format!("SELECT a FROM t WHERE {}", nested("a IN (SELECT b FROM t WHERE ", "c", ")", 10)),
            true,
        );
        // A list of thousands of values, as programs generate them, a few levels deep.
        let list = vec!["'K0001'"; 7_000].join(",");
        let inner = format!("SELECT b FROM u WHERE c IN ({list})");
        check(&format!("SELECT a FROM (SELECT * FROM t WHERE a IN ({inner})) x"), true);
        check(
            "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.b IN (SELECT MAX(CAST(c AS INT)) FROM v))",
            true,
        );
    }
}
