//! The other half of a [`claviger::notary::Transport`] for servers that a test only reads from.

/// What changes something, where nobody will ask for it.
macro_rules! reads_only {
    () => {
        fn publish<'a>(
            &'a self,
            _: &'a claviger::tuf::name::Gun,
            _: &'a [(claviger::tuf::name::RoleName, Vec<u8>)],
        ) -> futures_util::future::BoxFuture<'a, Result<(), claviger::notary::PublishError>> {
            unreachable!("nobody publishes here")
        }
        fn server_key<'a>(
            &'a self,
            _: &'a claviger::tuf::name::Gun,
            _: claviger::notary::ServerRole,
        ) -> claviger::notary::Answer<'a, claviger::tuf::key::PublicKey> {
            unreachable!("nobody asks for keys here")
        }
        fn new_server_key<'a>(
            &'a self,
            _: &'a claviger::tuf::name::Gun,
            _: claviger::notary::ServerRole,
        ) -> claviger::notary::Answer<'a, claviger::tuf::key::PublicKey> {
            unreachable!("nobody asks for keys here")
        }
        fn delete<'a>(&'a self, _: &'a claviger::tuf::name::Gun) -> claviger::notary::Answer<'a, ()> {
            unreachable!("nobody deletes here")
        }
    };
}
pub(crate) use reads_only;
