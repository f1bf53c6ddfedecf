//! Holding a function's call to AWS on its way, so that a test can act at exactly that point.

use serde::Serialize;
use serde_json::{Value, json};

use super::Cloud;
use crate::Error;

/// Which call is held: the first one of a function that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// The service as a signature names it, such as `sqs` or `dynamodb`.
    pub service: String,
    /// The action, such as `SendMessageBatch`; for S3 the method and what it is of, such as `PUT Object`.
    pub action: String,
    /// What the path and the body of the call contain somewhere, such as an object's key.
    pub contains: String,
    /// Where it is held.
    pub moment: Moment,
}

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// Nothing is done yet. Where the function ends meanwhile, nothing ever is.
    Before,
    /// It is done, and the function does not know it.
    After,
}

/// A hold that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldNumber(u64);

impl Cloud {
    /// Holds one call of a function. The call waits until it is let go or the function has ended.
    pub async fn hold(&self, hold: &Hold) -> Result<HoldNumber, Error> {
        let answer = self.holds(&json!({ "hold": hold })).await?;
        answer.as_u64().map(HoldNumber).ok_or_else(|| Error::Answer(answer.to_string()))
    }

    /// Whether the call has come and is held.
    pub async fn is_held(&self, number: HoldNumber) -> Result<bool, Error> {
        let answer = self.holds(&json!({ "number": number.0, "let_go": false })).await?;
        answer.as_bool().ok_or_else(|| Error::Answer(answer.to_string()))
    }

    /// Lets the call go on.
    pub async fn let_go(&self, number: HoldNumber) -> Result<(), Error> {
        self.holds(&json!({ "number": number.0, "let_go": true })).await.map(drop)
    }

    async fn holds(&self, question: &Value) -> Result<Value, Error> {
        let request = self.http.post(format!("{}/_local/holds", self.endpoint())).body(question.to_string());
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}
