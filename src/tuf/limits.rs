//! Every limit on what comes from outside, in one place. Sizes are bytes.

/// Longest role name (protocol 5.4).
pub const ROLE_NAME: usize = 255;
/// Longest GUN we accept; it becomes a path, and Linux ends names at 255 and paths at 4096.
pub const GUN: usize = 1024;
/// Longest single component of a GUN.
pub const GUN_COMPONENT: usize = 255;
/// Largest metadata file when nothing names its size (protocol 15).
pub const METADATA: u64 = 100 << 20;
/// Largest timestamp (protocol 15).
pub const TIMESTAMP: u64 = 1 << 20;
/// Deepest nesting of JSON that is read (the parser's own limit).
pub const JSON_DEPTH: usize = 127;
/// Most signatures read in one file.
pub const SIGNATURES: usize = 1024;
/// Most keys read in one file, and most that one role may name.
pub const KEYS: usize = 4096;
/// Most times that the roles of one file may name keys, all together.
pub const KEY_REFERENCES: usize = 65_536;
/// Most keys of a root role. Each brings certificates that are read before anything is verified.
pub const ROOT_KEYS: usize = 64;
/// Largest public part of a key: for RSA of 16384 bits with a certificate and its authorities there is room.
pub const KEY: usize = 64 << 10;
/// Most certificates around one key.
pub const CERTIFICATES: usize = 16;
/// Most signatures on certificates that are checked to find a chain.
pub const CHAIN_CHECKS: usize = 100;
/// Most bad signatures by one key that are looked at in one file.
pub const BAD_SIGNATURES: usize = 4;
/// Most prefixes that one delegated role may have.
pub const PREFIXES: usize = 16_384;
/// Most roles that one file may name.
pub const ROLES: usize = 4096;
/// Most roles below one that `targets` delegates to: a signer who makes more loses only what is his.
pub const ROLES_BELOW: usize = 1024;
/// Most roles followed in one collection.
pub const ROLES_IN_ALL: usize = 16_384;
/// Most steps of a root rotation walk in one update.
pub const ROOT_STEPS: u64 = 1024;
/// Highest version accepted. Above it a repository could no longer be changed by clients that count in 32 bits;
/// a higher one is an attack or an accident that would lock everybody out (NCC 2015, finding 3).
pub const VERSION: u64 = i32::MAX as u64 - 1;
/// Smallest RSA modulus, in bits, that signs or verifies (protocol 6.1).
pub const RSA_BITS: usize = 2048;
/// Largest RSA modulus, in bits, that is verified: beyond it one signature costs seconds.
pub const RSA_BITS_MAX: usize = 16384;
