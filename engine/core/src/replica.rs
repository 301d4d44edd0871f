//! A replica: one running engine instance, named by the hash of its key.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::ids::{ReplicaId, RoomId, StreamId};
use crate::log::{EntryName, Head, SignedHead};
use crate::wire::Prove;
use crate::wire::proof::{head_bytes, proof_bytes};

/// The key of a replica of this device. Whoever holds it can write in its name.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
    id: ReplicaId,
}

impl Identity {
    /// The replica with this secret: 32 random bytes, never used for another replica.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let id = ReplicaId::of_key(key.verifying_key().as_bytes());
        Self { key, id }
    }

    /// Its name.
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The secret, for the device's own disk.
    pub fn secret(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Signs a message; answers the public key and the two halves of the signature.
    pub fn sign(&self, message: &[u8]) -> ([u8; 32], [u8; 32], [u8; 32]) {
        let signature = self.key.sign(message);
        (*self.key.verifying_key().as_bytes(), *signature.r_bytes(), *signature.s_bytes())
    }

    /// Proves to the home that gave `nonce` that this device holds the key.
    pub fn prove(&self, nonce: &[u8; 32], room: &RoomId) -> Prove {
        self.signed(&proof_bytes(nonce, room))
    }

    /// Says that this replica has written a chain up to a head.
    pub fn vouch(&self, stream: StreamId, seq: u64, head: Head, room: &RoomId) -> SignedHead {
        let proof = self.signed(&head_bytes(&stream, seq, &head, room));
        SignedHead { stream, name: EntryName { replica: self.id, seq }, head, proof }
    }

    fn signed(&self, message: &[u8]) -> Prove {
        let (public_key, signature_r, signature_s) = self.sign(message);
        Prove { public_key, signature_r, signature_s }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.id)
    }
}

/// The replica a proof proves, or `None`.
pub fn verify(proof: &Prove, nonce: &[u8; 32], room: &RoomId) -> Option<ReplicaId> {
    let key = VerifyingKey::from_bytes(&proof.public_key).ok()?;
    let signature = Signature::from_components(proof.signature_r, proof.signature_s);
    key.verify_strict(&proof_bytes(nonce, room), &signature).ok()?;
    Some(ReplicaId::of_key(&proof.public_key))
}
