//! A person: whoever holds an Ed25519 key that the apps of their devices keep, the same in all rooms.
//!
//! A device proves its person to the home on each link, as it proves its replicas; the home then says with every
//! presence whose it is. In a channel each replica introduces itself by an entry that the person signed, so that posts
//! of two devices are one person's. The home checks that signature when it judges the entry; a device trusts its home.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, ReplicaId, RoomId};
use crate::presence::{InvalidState, check_look};
use crate::wire::proof::{introduction_bytes, person_bytes};
use crate::wire::{Introduce, Prove};

/// The key of a person. Whoever holds it can speak in their name in every room.
#[derive(Clone)]
pub struct PersonKey {
    key: SigningKey,
    id: PersonId,
}

impl PersonKey {
    /// The person with this secret: 32 random bytes, kept by the app and used for nothing else.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let id = PersonId::of_key(key.verifying_key().as_bytes());
        Self { key, id }
    }

    /// Their name for programs.
    pub fn id(&self) -> PersonId {
        self.id
    }

    /// Proves to the home that gave `nonce` that this device speaks for the person.
    pub fn introduce(&self, nonce: &[u8; 32], room: &RoomId) -> Introduce {
        let (public_key, signature_r, signature_s) = self.sign(&person_bytes(nonce, room));
        Introduce { proof: Prove { public_key, signature_r, signature_s } }
    }

    /// Says in a channel that the person writes under `replica`.
    pub fn introduction(&self, replica: &ReplicaId, name: String, colour: u32) -> Introduction {
        let (public_key, signature_r, signature_s) = self.sign(&introduction_bytes(replica));
        Introduction { public_key, signature_r, signature_s, name, colour }
    }

    fn sign(&self, bytes: &[u8]) -> ([u8; 32], [u8; 32], [u8; 32]) {
        let signature = self.key.sign(bytes);
        (*self.key.verifying_key().as_bytes(), *signature.r_bytes(), *signature.s_bytes())
    }
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonKey({:?})", self.id)
    }
}

/// Which person writes under a replica, and how they want to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// The key whose hash is the person's id.
    pub public_key: [u8; 32],
    /// First half of the signature over the replica's id.
    pub signature_r: [u8; 32],
    /// Second half.
    pub signature_s: [u8; 32],
    /// Name to display, at most 64 bytes.
    pub name: String,
    /// Colour as `0xRRGGBB`.
    pub colour: u32,
}

impl Introduction {
    /// Who is introduced.
    pub fn person(&self) -> PersonId {
        PersonId::of_key(&self.public_key)
    }

    /// Checks name and colour.
    ///
    /// # Errors
    /// One of them is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidState> {
        check_look(&self.name, self.colour)
    }

    /// Whether the person has signed that they write under `replica`. For homes: devices do without.
    pub fn is_signed_for(&self, replica: &ReplicaId) -> bool {
        let signature = (&self.signature_r, &self.signature_s);
        is_signed(&self.public_key, signature, &introduction_bytes(replica))
    }
}

/// The person a proof on a link proves, or `None`.
pub fn verify(introduce: &Introduce, nonce: &[u8; 32], room: &RoomId) -> Option<PersonId> {
    let Prove { public_key, signature_r, signature_s } = &introduce.proof;
    let signed = is_signed(public_key, (signature_r, signature_s), &person_bytes(nonce, room));
    signed.then(|| PersonId::of_key(public_key))
}

fn is_signed(public_key: &[u8; 32], (r, s): (&[u8; 32], &[u8; 32]), bytes: &[u8]) -> bool {
    let signature = Signature::from_components(*r, *s);
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| key.verify_strict(bytes, &signature).is_ok())
}
