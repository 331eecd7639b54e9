//! Content that a server has or takes, or sends us elsewhere with: its address is nothing to go by, its digest is.
use super::{About, Ask, Host, Payload, TransportError, Verb, settings};
use crate::text::Untrusted;
use reqwest::Url;

/// Most steps of a redirect.
const REDIRECTS: usize = 5;

impl Host {
    /// Reads piece by piece what a server has, or what there is where it sends us for it. There we are nobody; the way is secured
    /// as the one to the server itself, and has no more than a few steps. For what need not be believed.
    ///
    /// # Errors
    /// As [`Host::open`] and [`Opened::pieces`](super::Opened::pieces). [`TransportError::Redirected`]: it leads where nobody should go, or on and on.
    /// [`TransportError::Elsewhere`]: it leads to somebody who did not give it.
    pub async fn stream(
        &self,
        url: Url,
        about: &About,
        limit: u64,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), TransportError> {
        let mut to = match self.open(&Ask::get(url.clone()), about).await {
            Err(TransportError::Redirected { to }) => to,
            opened => return opened?.pieces(limit, take).await,
        };
        let mut from = url;
        for _ in 0..REDIRECTS {
            let Some(url) = from.join(to.raw()).ok().filter(|url| self.may_follow(url)) else { break };
            let host = Untrusted::new(settings::host_and_port(&url));
            let elsewhere = |error| match error {
                // What these say is said of the content, wherever it is.
                TransportError::NotThere { .. } | TransportError::TooLarge { .. } => error,
                error => TransportError::Elsewhere { host: host.clone(), error: Box::new(error) },
            };
            match self.open_with(self.stranger().await?, &Ask::get(url.clone()), None).await.map_err(|failed| failed.error) {
                Err(TransportError::Redirected { to: next }) => (from, to) = (url, next),
                Err(error) => return Err(elsewhere(error)),
                Ok(opened) => return opened.pieces(limit, take).await.map_err(elsewhere),
            }
        }
        Err(TransportError::Redirected { to })
    }

    /// Sends something to where a server that was asked at `from` wants it. Elsewhere than at the server itself we are nobody,
    /// and the way there is as well secured.
    ///
    /// # Errors
    /// As [`Host::open`]. [`TransportError::Redirected`]: it wants it where nobody should go. [`TransportError::Elsewhere`]: it
    /// wants it from somebody who did not take it.
    pub async fn deliver(
        &self,
        from: &Url,
        to: Untrusted,
        parameter: (&str, &str),
        payload: Payload,
        about: &About,
    ) -> Result<(), TransportError> {
        let Some(mut url) = from.join(to.raw()).ok().filter(|url| self.may_follow(url)) else {
            return Err(TransportError::Redirected { to });
        };
        url.query_pairs_mut().append_pair(parameter.0, parameter.1);
        url.set_fragment(None);
        let (at_home, host) = (url.origin() == self.base.origin(), Untrusted::new(settings::host_and_port(&url)));
        let ask = Ask { url, accept: None, verb: Verb::Put(payload) };
        if at_home {
            return self.open(&ask, about).await.map(drop);
        }
        let sent = self.open_with(self.stranger().await?, &ask, None).await.map(drop);
        sent.map_err(|failed| TransportError::Elsewhere { host, error: Box::new(failed.error) })
    }

    /// Whether a redirect is as well secured as what it came from, and has no account in it.
    fn may_follow(&self, url: &Url) -> bool {
        let plain = url.scheme() == "http" && self.base.scheme() == "http";
        (url.scheme() == "https" || plain) && url.username().is_empty() && url.password().is_none()
    }
}
