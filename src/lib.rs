//! # claviger: the map of the house
//!
//! claviger manages the keys of Docker Content Trust and Notary v1. Lower floors know nothing of higher ones;
//! [`ARROWS`] says which module may use which, and `tests/it/architecture.rs` reads every path in the source
//! and holds it against that table.
//!
//! | floor | modules |
//! |---|---|
//! | two faces | `cli` (a terminal line), `tui` (a screen) |
//! | what stands in the way | `doctor`: the trust directory, the journal, settings, the server, the machine |
//! | guided work | `procedures`: each asks through `operator`, for both faces |
//! | what both show | `views` |
//! | a world to practise on | `sandbox` |
//! | one repository | `repository`: load, plan, sign, publish, verify again |
//! | the world | `notary` (Notary servers) and `registry` (images), over `net`; `keys` (private keys), `trust_dir` (files) |
//! | what metadata *is* | `tuf`: pure, no I/O, no clock |
//! | ground | `operator`, `journal`, `text`, `secret`, `settings`, `finding`, `failure`, `os` |
//!
//! The border to the world: `notary::Transport` and `registry::Registry` (a server, or the sandbox's functions in process),
//! and the signer above key files (and later tokens). There is no other.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

/// Which top-level module may use which others. What is not listed here is not allowed.
pub const ARROWS: &[(&str, &[&str])] = &[
    ("failure", &[]),
    ("journal", &["text"]),
    ("finding", &[]),
    ("os", &[]),
    ("secret", &["os"]),
    ("text", &[]),
    ("settings", &["text"]),
    ("operator", &["failure", "finding", "secret"]),
    ("tuf", &["text"]),
    ("trust_dir", &["text", "tuf"]),
    ("keys", &["finding", "os", "secret", "text", "trust_dir", "tuf"]),
    ("net", &["os", "secret", "settings", "text", "tuf"]),
    ("notary", &["net", "settings", "text", "tuf"]),
    ("registry", &["net", "text"]),
    ("repository", &["finding", "keys", "net", "notary", "registry", "settings", "text", "trust_dir", "tuf"]),
    ("sandbox", &["keys", "notary", "registry", "secret", "text", "trust_dir", "tuf"]),
    ("views", &["finding", "journal", "keys", "registry", "repository", "text", "trust_dir", "tuf"]),
    (
        "procedures",
        &[
            "failure",
            "finding",
            "journal",
            "keys",
            "notary",
            "operator",
            "os",
            "repository",
            "secret",
            "text",
            "trust_dir",
            "tuf",
            "views",
        ],
    ),
    (
        "doctor",
        &["finding", "journal", "keys", "net", "os", "procedures", "secret", "settings", "text", "trust_dir", "tuf", "views"],
    ),
    (
        "cli",
        &[
            "doctor",
            "failure",
            "finding",
            "journal",
            "keys",
            "net",
            "notary",
            "operator",
            "os",
            "procedures",
            "repository",
            "sandbox",
            "secret",
            "settings",
            "text",
            "trust_dir",
            "tui",
            "tuf",
            "views",
        ],
    ),
    ("tui", &["doctor", "failure", "finding", "operator", "os", "procedures", "repository", "secret", "text", "tuf", "views"]),
];

pub mod cli;
pub mod doctor;
pub mod failure;
pub mod finding;
pub mod journal;
pub mod keys;
pub mod net;
pub mod notary;
pub mod operator;
pub mod os;
pub mod procedures;
pub mod registry;
pub mod repository;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod secret;
pub mod settings;
pub mod text;
pub mod trust_dir;
pub mod tuf;
pub mod tui;
pub mod views;
