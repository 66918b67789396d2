//! Collections that a load is going to make: they have a number and a folder for its files, and nothing in the store.
//!
//! What surprises: such a collection may be made by somebody else before the load ends, by a plain write or by settings. It is the same
//! one then, with the same number, so that the files of the load are where they belong.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::commit::Committer;
use super::hosted::Hosted;
use super::{CollectionName, CollectionSettings, EngineError, catalogue};
use crate::collection::{Collection, remove_unused};
use crate::log::{Home, Store, StoreError};

/// Collections that are not made yet, by name.
pub(super) type Unborn = BTreeMap<CollectionName, Arc<Hosted>>;

impl Committer {
    /// The collection that a load is going to make.
    pub(super) fn unborn(&mut self, name: &CollectionName) -> Result<Arc<Hosted>, EngineError> {
        self.writable()?;
        if let Some(unborn) = self.unborn.get(name) {
            return Ok(unborn.clone());
        }
        let settings = CollectionSettings::default();
        let collection = Collection::with_kinds(settings.kinds.iter().copied());
        let hosted = Arc::new(Hosted::new(self.next_number, name.clone(), settings, collection));
        self.next_number += 1;
        self.shared.make_folder(hosted.number);
        self.unborn.insert(name.clone(), hosted.clone());
        Ok(hosted)
    }

    /// Whether this is a collection that nobody has made yet.
    pub(super) fn is_unborn(&self, hosted: &Hosted) -> bool {
        self.unborn.get(&hosted.name).is_some_and(|unborn| unborn.number == hosted.number)
    }

    /// Lets go of collections that no load makes any more, and of the files that were written for them.
    pub(super) fn forget_unborn(&mut self) {
        let home = self.shared.home.as_ref();
        self.unborn.retain(|_, hosted| {
            let is_wanted = hosted.loads.load(Ordering::SeqCst) > 0;
            if let Some(home) = home.filter(|_| !is_wanted) {
                remove_folder(home, hosted.number);
            }
            is_wanted
        });
    }
}

/// Removes what loads left that a process took with it when it ended: folders of collections that the store does not know.
pub(super) fn remove_strays(home: &Home, store: &dyn Store) -> Result<(), StoreError> {
    let Ok(folders) = fs::read_dir(home.root().join("segments")) else { return Ok(()) };
    let numbers = folders.flatten().filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    let made: Vec<u32> = catalogue::collections(store)?.into_iter().map(|(number, ..)| number).collect();
    let dropped = catalogue::dropped(store)?; // the sweep comes to those
    numbers
        .filter(|number| !made.contains(number) && !dropped.contains(number))
        .for_each(|number| remove_folder(home, number));
    Ok(())
}

/// What cannot be removed costs room on the disk, and the next start tries again.
fn remove_folder(home: &Home, number: u32) {
    let path = home.segments_path(number);
    let removed = remove_unused(&path, &[]).and_then(|_| fs::remove_dir(&path));
    if let Err(error) = removed {
        tracing::warn!(folder = %path.display(), %error, "what a load left cannot be removed");
    }
}
