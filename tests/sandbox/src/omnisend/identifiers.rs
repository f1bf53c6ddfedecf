//! A contact's identifiers as a write sends them: address and phone numbers with channels, consent and welcome.

use super::clock;
use super::contact::{Consent, Status};
use super::dialect::Dialect;
use super::options::MissingChannels;
use super::request::{ContactRequest, Named, Reader};
use crate::kit::email;
use serde_json::{Map, Value};

/// An address or a phone number.
#[derive(Clone, Debug)]
pub(super) struct Identifier {
    pub(super) id: String,
    /// None leaves the subscription alone.
    pub(super) channel: Option<ChannelWrite>,
    pub(super) consent: Option<Consent>,
    pub(super) send_welcome_message: Option<bool>,
}

/// A status with the moment since when it holds, if that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelWrite {
    pub(super) status: Status,
    pub(super) changed_at: Option<i64>,
}

/// The kinds of identifiers, with the channel that each has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Phone,
}

impl Kind {
    fn channel(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "sms",
        }
    }
}

/// Reads the list of identifiers into the request.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: Option<&Value>,
    named: Named,
    request: &mut ContactRequest,
) {
    let empty = Vec::new();
    let values = match value {
        None => &empty,
        Some(Value::Array(values)) => values,
        Some(_) => {
            reader.refuse("identifiers", "invalid_type", "Must be an array");
            return;
        }
    };
    if values.is_empty() && named == Named::ByIdentifiers {
        reader.refuse("identifiers", "required", "At least one identifier is required");
    }
    for (position, value) in values.iter().enumerate() {
        let path = format!("identifiers.{position}");
        let Value::Object(object) = value else {
            reader.refuse(path, "invalid_type", "Must be an object");
            continue;
        };
        let Some((kind, identifier)) = read_one(reader, &path, object) else {
            continue;
        };
        match kind {
            Kind::Email if request.email.is_some() => {
                reader.refuse(path, "duplicate", "A contact has one e-mail address");
            }
            Kind::Email => request.email = Some(identifier),
            Kind::Phone => request.phones.push(identifier),
        }
    }
}

fn read_one(reader: &mut Reader<'_>, path: &str, object: &Map<String, Value>) -> Option<(Kind, Identifier)> {
    let known = ["type", "id", "channels", "consent", "sendWelcomeMessage", "source"];
    reader.known(&format!("{path}."), object, &known);
    reader.text(&format!("{path}.source"), object.get("source"));
    let kind = match object.get("type").and_then(Value::as_str) {
        Some("email") => Kind::Email,
        Some("phone") => Kind::Phone,
        _ => {
            reader.refuse(format!("{path}.type"), "invalid_value", "Must be email or phone");
            return None;
        }
    };
    let id_path = format!("{path}.id");
    let Some(id) = object.get("id").and_then(Value::as_str) else {
        reader.refuse(id_path, "required", "field required but not found in Json");
        return None;
    };
    match kind {
        Kind::Email if !email::is_valid(id) => {
            reader.refuse(id_path, "invalid_format", "Must be a valid email address");
        }
        Kind::Phone if !is_phone(id) => {
            reader.refuse(id_path, "invalid_format", "Must be a phone number by E.164");
        }
        _ => {}
    }
    let welcome_path = format!("{path}.sendWelcomeMessage");
    let send_welcome_message = match object.get("sendWelcomeMessage") {
        None => None,
        Some(Value::Bool(send)) => Some(*send),
        Some(_) => {
            reader.refuse(welcome_path, "invalid_type", "Must be a boolean");
            None
        }
    };
    let channel = read_channel(reader, path, kind, object.get("channels"));
    let consent = read_consent(reader, path, kind, object.get("consent"));
    Some((kind, Identifier { id: id.to_owned(), channel, consent, send_welcome_message }))
}

fn read_channel(
    reader: &mut Reader<'_>,
    path: &str,
    kind: Kind,
    value: Option<&Value>,
) -> Option<ChannelWrite> {
    let path = format!("{path}.channels");
    let Some(value) = value else {
        if reader.dialect == Dialect::V5 && reader.options.missing_channels == MissingChannels::Refused {
            reader.refuse(path, "required", "field required but not found in Json");
        }
        return None;
    };
    let Value::Object(channels) = value else {
        reader.refuse(path, "invalid_type", "Must be an object");
        return None;
    };
    for name in channels.keys().filter(|name| *name != kind.channel()) {
        reader.refuse(format!("{path}.{name}"), "unknown_channel", "The identifier has no such channel");
    }
    let path = format!("{path}.{}", kind.channel());
    let Value::Object(channel) = channels.get(kind.channel())? else {
        reader.refuse(path, "invalid_type", "Must be an object");
        return None;
    };
    let date = reader.dialect.status_date();
    reader.known(&format!("{path}."), channel, &["status", date]);
    let word = channel.get("status").and_then(Value::as_str);
    let status = Status::WORDS.iter().find(|(name, _)| Some(*name) == word).map(|(_, status)| *status);
    if status.is_none() {
        let message = "Must be subscribed, nonSubscribed or unsubscribed";
        reader.refuse(format!("{path}.status"), "invalid_value", message);
    }
    let changed_at = read_moment(reader, &format!("{path}.{date}"), channel.get(date));
    Some(ChannelWrite { status: status?, changed_at })
}

fn read_moment(reader: &mut Reader<'_>, path: &str, value: Option<&Value>) -> Option<i64> {
    let text = reader.text(path, value)?;
    let moment = clock::parse(&text);
    if moment.is_none() {
        reader.refuse(path, "invalid_format", "Must be a moment by RFC 3339");
    }
    moment
}

fn read_consent(reader: &mut Reader<'_>, path: &str, kind: Kind, value: Option<&Value>) -> Option<Consent> {
    let path = format!("{path}.consent");
    let Value::Object(consent) = value? else {
        reader.refuse(path, "invalid_type", "Must be an object");
        return None;
    };
    reader.known(&format!("{path}."), consent, &["source", "createdAt", "ip", "userAgent"]);
    let created_at = read_moment(reader, &format!("{path}.createdAt"), consent.get("createdAt"));
    let mut text = |name: &str| reader.text(&format!("{path}.{name}"), consent.get(name));
    Some(Consent {
        channel: kind.channel(),
        source: text("source"),
        created_at: clock::show(created_at.unwrap_or_else(clock::now)),
        ip: text("ip"),
        user_agent: text("userAgent"),
    })
}

/// A plus and up to fifteen digits.
pub(super) fn is_phone(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}
