//! The key of the hashes of a database.

use diesel::prelude::*;
use trailkeeper_domain::Result;

use super::Tx;
use crate::hash_key::HashKey;
use crate::schema::hash_key;

impl Tx<'_> {
    /// The key of the hashes of this database. It is read once, and again after the database was replaced.
    pub fn hash_key(&mut self) -> Result<HashKey> {
        if let Some(known) = self.shared.hash_key.get() {
            return Ok(*known);
        }
        let row = hash_key::table.find(1_i16).select(hash_key::key);
        let stored: Vec<u8> = self.run("hash_key", |conn| row.first(conn))?;
        let key = HashKey::of(&stored)?;
        Ok(*self.shared.hash_key.get_or_init(|| key))
    }
}
