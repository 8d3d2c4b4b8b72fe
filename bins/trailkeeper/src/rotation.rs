//! Replaces the master key, also while servers run.
//!
//! ```text
//! step                     master.key   .previous   database        opened by
//! before                   K1           K0 or none  K1, rarely K0   K1, K0
//! 1 reseal leftovers       K1           K0 or none  K1              K1
//! 2 keep the current key   K1           K1          K1              K1
//! 3 create the next key    K2           K1          K1, new ones K2 K1 as the previous key, K2
//! 4 reseal everything      K2           K1          K2              K2
//! ```
//!
//! Each step is durable before the next begins. A file is written under another name, synced and renamed into place, and
//! its folder is synced; the steps on the database are one transaction each. Between any two steps the key files open
//! every secret in the database, so a kill at any moment loses nothing:
//!
//! - Step 1 comes first because step 2 overwrites K0. It finds work only if an earlier rotation was killed before its
//!   step 4, or if a server sealed a secret with K0 while K1 replaced it.
//! - Step 2 comes before step 3 because a server that finds K2 in `master.key` then looks for K1 in
//!   `master.key.previous`.
//! - A running server has K1 in memory. Until step 4, K1 opens every secret except those sealed with K2 meanwhile; if a
//!   secret does not open, the server reads the files again. Before it seals a secret, it always reads them.
//! - A kill between steps 3 and 4 leaves secrets sealed with the previous key. Servers work; step 1 of the next rotation
//!   reseals these secrets.

use std::sync::Arc;

use trailkeeper_auth::{Access, AuditContext, MasterKey, MasterKeys};
use trailkeeper_domain::clock::Entropy;

use crate::access;
use crate::config::{AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::files::KeyFiles;
use crate::master_key::{KeyUse, given};
use crate::wiring::Ports;

/// The result of a rotation.
pub enum Rotated {
    /// The key of the files was replaced.
    Files {
        /// The key files, with the new key.
        files: KeyFiles,
        /// Number of secrets resealed with the new key.
        resealed: usize,
    },
    /// The settings give the key, and gave the new one already. All secrets are resealed with it.
    Given {
        /// Number of secrets that the previous key had sealed.
        resealed: usize,
    },
}

/// Replaces the master key and reseals all secrets.
pub fn rotate(
    database: &DatabaseArgs,
    settings: &AccessArgs,
    ports: &Ports,
    by: &AuditContext,
) -> Result<Rotated, Failure> {
    if let Some(keys) = given(settings)? {
        if keys.previous.is_none() {
            return Err(Failure::Refused(
                "master-key: it comes from TRAILKEEPER_MASTER_KEY, which this command cannot change; set TRAILKEEPER_MASTER_KEY_PREVIOUS to the current key and TRAILKEEPER_MASTER_KEY to a new one (`openssl rand -hex 32` generates one) for every server and for this command, restart the servers, and run this command again"
                    .to_owned(),
            ));
        }
        let access = access_with(ports, settings, MasterKeys::fixed(keys));
        return Ok(Rotated::Given { resealed: access.reseal(by).map_err(|error| ports.failed(error))? });
    }
    // Creates the key file if there is none yet.
    access::open(ports, database, settings, KeyUse::Secrets)?;
    let files = KeyFiles::at(database.master_key(), database.allow_group_read);
    let _lock = files.lock()?;
    let rotation = Rotation { access: access_with(ports, settings, files.watched()?), files, by };
    rotation.finish_interrupted().map_err(|error| ports.failed(error))?;
    rotation.keep_current()?;
    rotation.create_next(ports.entropy.as_ref())?;
    let resealed = rotation.reseal_all().map_err(|error| ports.failed(error))?;
    Ok(Rotated::Files { files: rotation.files, resealed })
}

fn access_with(ports: &Ports, settings: &AccessArgs, keys: MasterKeys) -> Access {
    let (store, clock, entropy) = (&ports.store, &ports.clock, &ports.entropy);
    Access::new(Arc::clone(store), Arc::clone(clock), Arc::clone(entropy), keys, settings.access_settings())
}

/// The steps of a rotation. Any of them can be the last one that runs.
struct Rotation<'a> {
    access: Access,
    files: KeyFiles,
    by: &'a AuditContext,
}

impl Rotation<'_> {
    /// Step 1: reseals what an earlier rotation left sealed with the previous key.
    fn finish_interrupted(&self) -> trailkeeper_domain::Result<()> {
        if self.access.sealed_with_previous()? > 0 {
            self.access.reseal(self.by)?;
        }
        Ok(())
    }

    /// Step 2: copies the current key over the previous one.
    fn keep_current(&self) -> Result<(), Failure> {
        match self.files.read()? {
            Some(keys) => self.files.replace_previous(&keys.current),
            None => Err(Failure::Refused(format!("{}: the file has disappeared", self.files.current().display()))),
        }
    }

    /// Step 3: writes a new current key.
    fn create_next(&self, entropy: &dyn Entropy) -> Result<(), Failure> {
        self.files.replace_current(&MasterKey::generate(entropy))
    }

    /// Step 4: reseals all secrets with the current key. Returns their number.
    fn reseal_all(&self) -> trailkeeper_domain::Result<usize> {
        self.access.reseal(self.by)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use trailkeeper_auth::NewSigningKey;

    use super::*;
    use crate::wiring;

    #[derive(clap::Parser)]
    struct Settings {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        access: AccessArgs,
    }

    /// A database with some secrets, and the settings of a program that uses it.
    struct World {
        folder: tempfile::TempDir,
        settings: Settings,
        ports: Ports,
        secrets: usize,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let data_dir = folder.path().join("data").display().to_string();
            let settings = Settings::parse_from(["trailkeeper", "--data-dir", &data_dir]);
            let ports = wiring::open(&settings.database).unwrap();
            let mut world = Self { folder, settings, ports, secrets: 1 };
            world.add();
            world
        }

        fn files(&self) -> KeyFiles {
            KeyFiles::at(self.settings.database.master_key(), false)
        }

        /// A server that starts now. It opens all token keys, and the count opens all secrets.
        fn server(&self) -> Arc<Access> {
            let Settings { database, access } = &self.settings;
            let server = access::open(&self.ports, database, access, KeyUse::Secrets).unwrap();
            server.sealed_with_previous().unwrap();
            server
        }

        fn add(&mut self) {
            let new = NewSigningKey { name: "sdk".to_owned(), tenant_id: None };
            self.server().create_signing_key(&wiring::context(), new).unwrap();
            self.secrets += 1;
        }

        fn rotate(&self) -> Result<Rotated, Failure> {
            rotate(&self.settings.database, &self.settings.access, &self.ports, &wiring::context())
        }

        /// Runs the first `steps` of a rotation, like a rotation that is killed after them.
        fn killed_after(&self, steps: usize) {
            let files = self.files();
            let _lock = files.lock().unwrap();
            let context = wiring::context();
            let access = access_with(&self.ports, &self.settings.access, files.watched().unwrap());
            let rotation = Rotation { access, files, by: &context };
            if steps > 0 {
                rotation.finish_interrupted().unwrap();
            }
            if steps > 1 {
                rotation.keep_current().unwrap();
            }
            if steps > 2 {
                rotation.create_next(self.ports.entropy.as_ref()).unwrap();
            }
            if steps > 3 {
                rotation.reseal_all().unwrap();
            }
        }
    }

    #[test]
    fn a_killed_rotation_leaves_files_that_open_every_secret() {
        for (first, second) in (0..=4).flat_map(|first| (0..=4).map(move |second| (first, second))) {
            let mut world = World::new();
            let running = world.server();
            let mut secrets = world.secrets;
            for steps in [first, second] {
                world.killed_after(steps);
                // A running server and a new one both open and seal secrets.
                running.sealed_with_previous().unwrap();
                running.check_master_key().unwrap();
                world.add();
                secrets += 1;
            }
            let Ok(Rotated::Files { resealed, files }) = world.rotate() else { panic!("not rotated") };
            assert_eq!(resealed, secrets, "killed after {first} and {second}");
            assert_eq!(world.server().sealed_with_previous().unwrap(), 0);
            // The previous key is no longer needed.
            std::fs::remove_file(files.previous()).unwrap();
            world.server();
            let left: Vec<_> = std::fs::read_dir(world.folder.path().join("data"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with("master"))
                .collect();
            assert!(!left.iter().any(|name| name.contains("draft")), "{left:?}");
        }
    }

    /// Root rotates the key of a server that runs as another user.
    #[cfg(unix)]
    #[test]
    fn the_files_keep_their_owner() {
        use std::os::unix::fs::{MetadataExt as _, chown};

        let world = World::new();
        let files = world.files();
        let owner = 12_345;
        if chown(files.current(), Some(owner), Some(owner)).is_err() {
            eprintln!("not tested: only root can change the owner of files");
            return;
        }
        world.rotate().unwrap_or_else(|failure| panic!("{failure}"));
        let keys: Vec<_> = std::fs::read_dir(world.folder.path().join("data"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.display().to_string().contains("master"))
            .collect();
        assert_eq!(keys.len(), 3, "the key, the previous one and the lock: {keys:?}");
        for path in keys {
            let metadata = std::fs::metadata(&path).unwrap();
            assert_eq!((metadata.uid(), metadata.mode() & 0o777), (owner, 0o600), "{}", path.display());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_behind_a_link_is_replaced_in_the_target_of_the_link() {
        let world = World::new();
        let (link, elsewhere) = (world.files().current().to_owned(), world.folder.path().join("elsewhere.key"));
        std::fs::rename(&link, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        let before = std::fs::read_to_string(&elsewhere).unwrap();
        for _ in 0..2 {
            world.rotate().unwrap_or_else(|failure| panic!("{failure}"));
        }
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_ne!(std::fs::read_to_string(&elsewhere).unwrap(), before);
        assert_eq!(world.server().sealed_with_previous().unwrap(), 0);
    }

    #[test]
    fn one_rotation_at_a_time() {
        let world = World::new();
        let lock = world.files().lock().unwrap();
        let Err(refused) = world.rotate() else { panic!("rotated") };
        assert!(refused.to_string().contains("another rotation is running"), "{refused}");
        drop(lock);
        world.rotate().unwrap_or_else(|failure| panic!("{failure}"));
    }
}
