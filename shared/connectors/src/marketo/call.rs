//! A call of the API, ready to be made. Pure.

use crate::{Cost, HttpRequest};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use relay_model::Destination;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// "Other lead endpoints 30 s" on the vendor's side
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>); some more lets
/// its end come before ours.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_secs(40);
/// What a call carries.
pub(super) enum Body {
    None,
    Json(Bytes),
    Form(String),
    Multipart { boundary: String, body: Bytes },
}

/// What an answer looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The vendor's envelope.
    Envelope,
    /// A file; an error comes in the envelope all the same.
    File,
}

/// One call.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Body,
    pub(super) timeout: Duration,
    /// The right that it needs, as the admin pages call it.
    pub(super) right: &'static str,
    /// Codes that are answers, not errors, to this call.
    pub(super) accepts: &'static [i64],
    pub(super) form: Form,
    /// Whether it may be made again at once where it is not known whether it was carried out.
    pub(super) is_repeatable: bool,
}

impl Call {
    /// A call that reads.
    pub(super) const fn get(operation: &'static str, url: Url, right: &'static str) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            body: Body::None,
            timeout: SHORT_TIMEOUT,
            right,
            accepts: &[],
            form: Form::Envelope,
            is_repeatable: true,
        }
    }

    /// A call that sends a form.
    pub(super) fn form(
        operation: &'static str,
        url: Url,
        right: &'static str,
        fields: &[(&str, &str)],
    ) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { method: Method::POST, body: Body::Form(form), ..Self::get(operation, url, right) }
    }

    pub(super) fn request(&self, authorization: HeaderValue) -> HttpRequest {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        let accept = match self.form {
            Form::Envelope => "application/json",
            Form::File => "text/csv, application/json",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let (content_type, body) = match &self.body {
            // The vendor wants a type on DELETE too, body or none.
            Body::None if self.method == Method::DELETE => {
                (Some(HeaderValue::from_static("application/json")), Bytes::new())
            }
            Body::None => (None, Bytes::new()),
            Body::Json(body) => (Some(HeaderValue::from_static("application/json")), body.clone()),
            Body::Form(form) => (
                Some(HeaderValue::from_static("application/x-www-form-urlencoded")),
                Bytes::from(form.clone()),
            ),
            Body::Multipart { boundary, body } => (
                HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}")).ok(),
                body.clone(),
            ),
        };
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        HttpRequest {
            destination: Destination::Marketo,
            operation: self.operation,
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body,
            timeout: self.timeout,
            cost: Cost::Counted,
        }
    }
}
