//! A key that signs tokens, and its public half in JWK form.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Error;

/// An RSA key of 2048 bits, for RS256 (<https://www.rfc-editor.org/rfc/rfc7518#section-3.3>).
pub(super) struct SigningKey {
    pair: KeyPair,
    id: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    pub(super) fn make() -> Result<Self, Error> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(unspecified)?;
        Ok(Self { pair, id: uuid::Uuid::now_v7().to_string() })
    }

    /// Gives the key the key id of another one.
    pub(super) fn named_as(self, other: &Self) -> Self {
        Self { id: other.id.clone(), ..self }
    }

    /// Returns the public half (<https://www.rfc-editor.org/rfc/rfc7517>).
    pub(super) fn jwk(&self) -> Value {
        let (modulus, exponent) = public_numbers(self.pair.public_key().as_ref()).unwrap_or_default();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(modulus),
            "e": URL_SAFE_NO_PAD.encode(exponent),
        })
    }

    /// Signs the claims (<https://www.rfc-editor.org/rfc/rfc7515#section-3.1>).
    pub(super) fn jwt(&self, claims: &Value) -> Result<String, Error> {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.id});
        let signed = format!("{}.{}", encoded(&header), encoded(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(unspecified)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn unspecified(_: aws_lc_rs::error::Unspecified) -> Error {
    Error::NotStarted("the issuer's key could not be used".to_owned())
}

/// Returns modulus and exponent of a DER `RSAPublicKey`, a sequence of two integers
/// (<https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1>).
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (numbers, _) = element(der, SEQUENCE)?;
    let (modulus, rest) = element(numbers, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    // DER prepends a zero byte to a number whose first bit is set.
    let bare = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((modulus.get(bare(modulus)..)?, exponent.get(bare(exponent)..)?))
}

/// Returns the content of a DER element of this kind, and the rest.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
    };
    if found == kind { rest.split_at_checked(length) } else { None }
}

/// Checks whether a token was signed with this published key.
#[cfg(test)]
#[track_caller]
pub(super) fn check(jwk: &Value, token: &str, good: bool) {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let verified = key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature);
    assert_eq!(verified.is_ok(), good);
}
