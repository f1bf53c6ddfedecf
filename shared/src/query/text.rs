//! From an author's text to one SELECT, or to what is wrong with it.

use super::error::TextError;
use super::words::one_line;
use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The longest query that is taken.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// How deep parentheses and cases may be inside one another.
const MAX_DEPTH: usize = 50;
/// How deep subqueries may be inside one another. Planning takes twice as long for each one further in.
const MAX_SUBQUERY_DEPTH: usize = 10;
/// The same for the parser, which counts several steps for each, and whose message about it is easily lost.
const MAX_PARSER_DEPTH: usize = 500;
/// The most operators of a query: a chain of them is as deep as it is long once it is a plan.
const MAX_OPERATORS: usize = 500;
/// The most joins, unions and subqueries of a query, which also take their time.
const MAX_RELATIONS: usize = 100;

/// One SELECT, or why the text is none. It goes as deep as the query is nested: whoever calls it needs a large stack.
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
    if !is_moderate(&tokens) {
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

/// Whether the query is nested and chained no more than can be planned in a moment.
fn is_moderate(tokens: &[TokenWithSpan]) -> bool {
    // For each open parenthesis or case, whether a subquery begins in it.
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

fn is_select(word: &str) -> bool {
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with")
}
