//! JSON web tokens, as far as docker's servers use them: ECDSA on P-256 with SHA-256 (`ES256`), and the issuer's certificate
//! in the header.
use super::rights::Access;
use crate::{
    keys::{KeyError, PrivateKey, Signer},
    tuf::{
        key::PublicKey,
        material::{Message, Method},
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How far the clocks of an issuer and a server may be apart, in seconds; the real servers allow as much.
const LEEWAY: i64 = 60;

/// What a token says.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    pub access: Vec<Access>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    #[serde(default)]
    x5c: Vec<String>,
}

/// Writes and signs a token. `certificate` is DER.
pub fn sign(claims: &Claims, key: &PrivateKey, certificate: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let failed = |_| KeyError::Internal("writing a token");
    let header = Header { typ: "JWT".into(), alg: "ES256".into(), x5c: vec![STANDARD.encode(certificate)] };
    let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let mut token = Zeroizing::new(part(serde_json::to_vec(&header).map_err(failed)?));
    token.push('.');
    token.push_str(&part(serde_json::to_vec(claims).map_err(failed)?));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.bytes));
    Ok(token)
}

/// What a token says, if `key` signed it, and it is from this issuer, for this service, and neither too old nor too young.
pub fn read(token: &str, key: &PublicKey, issuer: &str, service: &str, now: Timestamp) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    if header.alg != "ES256" || !key.material().verify(&Method::Ecdsa, &Message::new(signed.as_bytes()), &decode(signature)?) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
    let now = now.as_second();
    let in_time = claims.nbf.saturating_sub(LEEWAY) <= now && now <= claims.exp.saturating_add(LEEWAY);
    (claims.iss == issuer && claims.aud == service && in_time).then_some(claims)
}
