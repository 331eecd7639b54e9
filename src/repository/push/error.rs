//! Why an image was not sent, and what to do next.
use crate::{
    registry::{Digest, TransportError},
    repository::{ImageError, layout::LayoutError},
    text::Untrusted,
};

/// Why an image was not sent.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There is no registry to send it to.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// There is no image to send, or it is not what it should be.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Nothing can be called that.
    #[error("{} can be no tag: letters, digits and _ . - are, and it begins with none of the last two", .0.shown())]
    Tag(Untrusted),
    /// The registry that was asked only gives.
    #[error("the registry {} takes no images", .0.shown())]
    OnlyGives(Untrusted),
    /// It did not take something, or did not say whether it has it.
    #[error("the registry {} did not {what}: {error}", .address.shown())]
    Registry {
        /// Where it is.
        address: Untrusted,
        /// What was asked of it.
        what: String,
        /// What a token must allow for that.
        scope: String,
        /// Why.
        error: Box<TransportError>,
    },
    /// It has something else in the place of a piece.
    #[error("the registry {} has {has} bytes in the place of {what}, which has {size}", .address.shown())]
    Other {
        /// Where it is.
        address: Untrusted,
        /// The piece.
        what: Digest,
        /// How many bytes it says it has.
        has: u64,
        /// How many there should be.
        size: u64,
    },
    /// Its answer to the last thing that was sent leaves open what became of it, and so did the next one.
    #[error("{error}; then {then}")]
    Unknown {
        /// The first.
        error: Box<PushError>,
        /// The second.
        then: Box<PushError>,
    },
    /// Somebody else was faster.
    #[error("the tag at the registry {} {} by now, and did not when it was looked at", .address.shown(), leads(.found.as_ref()))]
    Moved {
        /// Where it is.
        address: Untrusted,
        /// What its tag leads to.
        found: Option<Digest>,
    },
    /// It took everything, and its tag leads elsewhere.
    #[error("the registry {} took the image, and its tag {}", .address.shown(), leads(.found.as_ref()))]
    NotServed {
        /// Where it is.
        address: Untrusted,
        /// What its tag leads to.
        found: Option<Digest>,
    },
}

fn leads(found: Option<&Digest>) -> String {
    found.map_or_else(|| "is not there".to_owned(), |digest| format!("leads to {digest}"))
}

impl PushError {
    /// One word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Registry { error, .. } => error.registry_code(),
            Self::Image(_) => "no-registry",
            Self::Layout(LayoutError::Piece { .. } | LayoutError::Endless) => "image",
            Self::Layout(_) => "layout",
            Self::Tag(_) => "name",
            Self::OnlyGives(_) | Self::Other { .. } => "registry",
            Self::Moved { .. } => "conflict",
            Self::NotServed { .. } => "not-served",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether a registry has said no, so that nothing came of what was asked.
    pub fn is_refusal(&self) -> bool {
        let Self::Registry { error, .. } = self else { return true };
        matches!(
            **error,
            TransportError::NotAllowed { .. }
                | TransportError::Login(_)
                | TransportError::NotThere { .. }
                | TransportError::Rejected { .. }
        )
    }

    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Image(e) => e.remedy(),
            Self::Layout(e) => e.remedy(),
            Self::Tag(_) => "Give another tag.".to_owned(),
            Self::OnlyGives(_) => "Name another registry with --registry.".to_owned(),
            Self::Registry { scope, error, .. } => match &**error {
                TransportError::NotAllowed { .. } => {
                    format!("{} What was asked for is {scope}.", error.registry_remedy())
                }
                TransportError::NotThere { .. } => "Check the address of the registry (--registry).".to_owned(),
                error => format!("{} Repeated, the command sends only the rest.", error.registry_remedy()),
            },
            Self::Other { .. } => "Tell whoever runs the registry: what it keeps there is damaged.".to_owned(),
            Self::Unknown { then, .. } => then.remedy(),
            Self::Moved { .. } => "Repeat the command: it says what the tag leads to now.".to_owned(),
            Self::NotServed { .. } => "Find out who else pushes this tag, then repeat the command.".to_owned(),
        }
    }
}
