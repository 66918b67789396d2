//! A disk that replays a trace, and knows what of it would survive a power cut.
//!
//! The model of a power cut:
//!
//! - What a file holds is safe when `fsync` or `fdatasync` of that file came after it, its length too. Later writes and
//!   changes of length may each be there or not, whatever their order; a write sector by sector.
//! - A name (create, rename, link, unlink, mkdir, rmdir) is safe when `fsync` of its folder came after it; a rename from one
//!   folder to another when both were synced. Syncing a file does not make its name safe, although ext4 does so.
//! - A rename happens whole or not at all.
//! - Names that are not safe happen in their order up to some point and no further, as in the journals of ext4 and xfs; a
//!   safe name is there whatever came before it. [`Survivors::names_in_any_order`] gives up that order.
//!
//! What surprises: there is no cache in this model. What a program reads is what it wrote; only what is left differs.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::{Contents, pieces};
use super::image::Image;
use super::record::Record;

type Number = usize;
type Names = BTreeMap<Vec<u8>, Number>;
/// A folder and a name in it.
type Place = (Number, Vec<u8>);

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

/// A file or a folder; the names of a folder stand elsewhere.
#[derive(Clone, Debug, Default)]
struct Node {
    is_folder: bool,
    now: Arc<Contents>,
    safe: Arc<Contents>,
    /// What happened to the contents since they were safe.
    since: Vec<Change>,
}

/// One name that leads to a node now, or to nothing.
#[derive(Clone, Debug)]
struct Naming {
    folder: Number,
    name: Vec<u8>,
    leads_to: Option<Number>,
    is_safe: bool,
}

/// Which of the things that are not safe are there after a power cut: each is asked about in the order it happened.
pub(crate) struct Survivors<'a> {
    pub(crate) name: &'a mut dyn FnMut() -> bool,
    pub(crate) data: &'a mut dyn FnMut() -> bool,
    pub(crate) length: &'a mut dyn FnMut() -> bool,
    /// What does not survive of a write leaves zeros if the file became longer by it.
    pub(crate) longer_with_zeros: bool,
    pub(crate) names_in_any_order: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, Number>,
    /// Folders and their names, as the program sees them.
    now: HashMap<Number, Names>,
    /// The same with only those changes that nothing unsafe came before.
    safe: HashMap<Number, Names>,
    /// All changes to names after that, each one whole: a rename is two.
    since: Vec<Vec<Naming>>,
}

const ROOT: Number = 0;

/// What a disk writes whole.
const SECTOR: u64 = 512;

impl Disk {
    /// A folder as it is found: all of it is safe.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let names = HashMap::from([(ROOT, Names::new())]);
        let nodes = vec![Node { is_folder: true, ..Node::default() }];
        let by_inode = HashMap::from([(fs::metadata(root)?.ino(), ROOT)]);
        let mut disk = Self { nodes, by_inode, now: names.clone(), safe: names, since: Vec::new() };
        for (path, contents) in Image::read(root)?.entries {
            let inode = fs::symlink_metadata(root.join(&path))?.ino();
            let number = disk.nodes.len();
            disk.make(inode, path.as_os_str().as_bytes(), contents.is_none()).map_err(io::Error::other)?;
            let contents = contents.unwrap_or_default();
            (disk.nodes[number].now, disk.nodes[number].safe) = (Arc::clone(&contents), contents);
        }
        disk.since.clear();
        disk.safe = disk.now.clone();
        Ok(disk)
    }

    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Note { .. } => {}
            Record::Create { inode, path } => self.make(*inode, path, false)?,
            Record::MakeFolder { inode, path } => self.make(*inode, path, true)?,
            Record::Write { inode, offset, data } => {
                self.change(*inode, Change::Write { offset: *offset, data: data.clone() })?;
            }
            Record::Length { inode, length } => self.change(*inode, Change::Length(*length))?,
            Record::Sync { inode } => self.sync(*inode)?,
            Record::Rename { from, to } => {
                let (from, to) = (self.parent(from)?, self.parent(to)?);
                let node = self.look_up(&from)?;
                // Two names of one file: the kernel leaves both alone.
                if self.look_up(&to) != Ok(node) {
                    self.name(vec![(from, None), (to, Some(node))]);
                }
            }
            Record::Link { from, to } => {
                let node = self.look_up(&self.parent(from)?)?;
                let to = self.parent(to)?;
                self.name(vec![(to, Some(node))]);
            }
            Record::Remove { path } => {
                let place = self.parent(path)?;
                self.look_up(&place)?;
                self.name(vec![(place, None)]);
            }
            Record::Unmodelled { what } => {
                return Err(format!("the model has no {}", String::from_utf8_lossy(what)));
            }
        }
        Ok(())
    }

    fn node(&self, inode: u64) -> Result<Number, String> {
        self.by_inode.get(&inode).copied().ok_or_else(|| format!("nobody made inode {inode}"))
    }

    /// The folder that a path's last name stands in, and that name.
    fn parent(&self, path: &[u8]) -> Result<Place, String> {
        let mut parts = path.split(|byte| *byte == b'/');
        let name = parts.next_back().unwrap_or(b"");
        let folder = parts.try_fold(ROOT, |folder, part| self.look_up(&(folder, part.to_vec())))?;
        Ok((folder, name.to_vec()))
    }

    fn look_up(&self, (folder, name): &Place) -> Result<Number, String> {
        let found = self.now.get(folder).and_then(|names| names.get(name)).copied();
        found.ok_or_else(|| format!("nobody named {}", String::from_utf8_lossy(name)))
    }

    fn make(&mut self, inode: u64, path: &[u8], is_folder: bool) -> Result<(), String> {
        let place = self.parent(path)?;
        let number = self.nodes.len();
        self.nodes.push(Node { is_folder, ..Node::default() });
        self.by_inode.insert(inode, number);
        if is_folder {
            self.now.insert(number, Names::new());
            self.safe.insert(number, Names::new());
        }
        self.name(vec![(place, Some(number))]);
        Ok(())
    }

    fn name(&mut self, changes: Vec<(Place, Option<Number>)>) {
        let namings = changes.into_iter().map(|((folder, name), leads_to)| {
            let naming = Naming { folder, name, leads_to, is_safe: false };
            put(&mut self.now, &naming);
            naming
        });
        let namings = namings.collect();
        self.since.push(namings);
    }

    fn change(&mut self, inode: u64, change: Change) -> Result<(), String> {
        let number = self.node(inode)?;
        let node = &mut self.nodes[number];
        match &change {
            Change::Write { offset, data } => Arc::make_mut(&mut node.now).write(*offset, data),
            Change::Length(length) => Arc::make_mut(&mut node.now).set_length(*length),
        }
        node.since.push(change);
        Ok(())
    }

    fn sync(&mut self, inode: u64) -> Result<(), String> {
        let number = self.node(inode)?;
        let node = &mut self.nodes[number];
        node.safe = Arc::clone(&node.now);
        node.since.clear();
        if node.is_folder {
            for naming in self.since.iter_mut().flatten().filter(|naming| naming.folder == number) {
                naming.is_safe = true;
            }
            let first = self.since.iter().position(|namings| !is_safe(namings)).unwrap_or(self.since.len());
            for naming in self.since.drain(..first).flatten() {
                put(&mut self.safe, &naming);
            }
        }
        Ok(())
    }

    /// A name by which the file with this inode is found now.
    pub(crate) fn path_of(&self, inode: u64) -> Option<PathBuf> {
        let wanted = self.node(inode).ok()?;
        let mut folders = vec![(PathBuf::new(), ROOT)];
        while let Some((folder, number)) = folders.pop() {
            for (name, leads_to) in self.now.get(&number).into_iter().flatten() {
                let path = folder.join(OsStr::from_bytes(name));
                if *leads_to == wanted {
                    return Some(path);
                }
                folders.push((path, *leads_to));
            }
        }
        None
    }

    /// What is there after the process ends: all of it.
    pub(crate) fn after_kill(&self) -> Image {
        self.image(&self.now, &mut |node| Arc::clone(&node.now))
    }

    /// What is there after a power cut, if this of what is not safe survives.
    pub(crate) fn after_power_cut(&self, survivors: &mut Survivors<'_>) -> Image {
        let mut names = self.safe.clone();
        let mut goes_on = true;
        for namings in &self.since {
            let mut survives = is_safe(namings);
            if !survives && (goes_on || survivors.names_in_any_order) {
                survives = (survivors.name)();
                goes_on &= survives;
            }
            if survives {
                namings.iter().for_each(|naming| put(&mut names, naming));
            }
        }
        self.image(&names, &mut |node| survive(node, survivors))
    }

    fn image(&self, names: &HashMap<Number, Names>, contents: &mut dyn FnMut(&Node) -> Arc<Contents>) -> Image {
        let mut image = Image::default();
        let mut folders = vec![(PathBuf::new(), ROOT)];
        // A node with two names is asked about once.
        let mut known: HashMap<Number, Arc<Contents>> = HashMap::new();
        while let Some((folder, number)) = folders.pop() {
            for (name, leads_to) in names.get(&number).into_iter().flatten() {
                let path = folder.join(OsStr::from_bytes(name));
                let node = &self.nodes[*leads_to];
                if node.is_folder {
                    image.entries.insert(path.clone(), None);
                    folders.push((path, *leads_to));
                } else {
                    let contents = known.entry(*leads_to).or_insert_with(|| contents(node));
                    image.entries.insert(path, Some(Arc::clone(contents)));
                }
            }
        }
        image
    }
}

fn is_safe(namings: &[Naming]) -> bool {
    namings.iter().all(|naming| naming.is_safe)
}

fn put(names: &mut HashMap<Number, Names>, naming: &Naming) {
    let folder = names.entry(naming.folder).or_default();
    match naming.leads_to {
        Some(number) => folder.insert(naming.name.clone(), number),
        None => folder.remove(&naming.name),
    };
}

fn survive(node: &Node, survivors: &mut Survivors<'_>) -> Arc<Contents> {
    let mut contents = Arc::clone(&node.safe);
    for change in &node.since {
        match change {
            Change::Length(length) if (survivors.length)() => Arc::make_mut(&mut contents).set_length(*length),
            Change::Length(_) => {}
            Change::Write { offset, data } => {
                for (at, piece) in pieces(*offset, data, SECTOR) {
                    let end = at + piece.len() as u64;
                    if (survivors.data)() {
                        Arc::make_mut(&mut contents).write(at, piece);
                    } else if survivors.longer_with_zeros && contents.length < end {
                        Arc::make_mut(&mut contents).set_length(end);
                    }
                }
            }
        }
    }
    contents
}
