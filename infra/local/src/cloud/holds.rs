//! Holds a function's call to AWS, so that a test can act at exactly that point.

use serde::Serialize;
use serde_json::{Value, json};

use super::Cloud;
use crate::Error;

/// The call to hold: the first one of a function that matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// The service's name in signatures, such as `sqs` or `dynamodb`.
    pub service: String,
    /// The action, such as `SendMessageBatch`; for S3 the method and the type of resource, such as `PUT
    /// Object`.
    pub action: String,
    /// A text that the path or the body of the call contains, such as an object's key.
    pub contains: String,
    /// When to hold it.
    pub moment: Moment,
}

/// When to hold a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// Before it is carried out. If the function ends meanwhile, it never is.
    Before,
    /// After it is carried out, before the function gets the response.
    After,
}

/// Identifies a requested hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldNumber(u64);

impl Cloud {
    /// Holds one call of a function until it is released or the function ends.
    pub async fn hold(&self, hold: &Hold) -> Result<HoldNumber, Error> {
        let answer = self.holds(&json!({ "hold": hold })).await?;
        answer.as_u64().map(HoldNumber).ok_or_else(|| Error::Answer(answer.to_string()))
    }

    /// Returns whether the call has arrived and is held.
    pub async fn is_held(&self, number: HoldNumber) -> Result<bool, Error> {
        let answer = self.holds(&json!({ "number": number.0, "release": false })).await?;
        answer.as_bool().ok_or_else(|| Error::Answer(answer.to_string()))
    }

    /// Releases the call.
    pub async fn release(&self, number: HoldNumber) -> Result<(), Error> {
        self.holds(&json!({ "number": number.0, "release": true })).await.map(drop)
    }

    async fn holds(&self, question: &Value) -> Result<Value, Error> {
        let request = self.http.post(format!("{}/_local/holds", self.endpoint())).body(question.to_string());
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}
