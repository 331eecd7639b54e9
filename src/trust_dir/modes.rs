//! Permissions of what lies in `private/`: what others could read or change, and mending it. Only directories and regular files of
//! this user are mended, and no link is followed.
use super::{TrustDir, TrustDirError, Writer, shown};
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

/// How deep directories are followed.
const MAX_DEPTH: usize = 64;
const FILE: u32 = 0o600;
const DIRECTORY: u32 = 0o700;

/// Something with permissions that are to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loose {
    /// What.
    pub path: PathBuf,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its permission bits.
    pub mode: u32,
}

impl Loose {
    /// The permission bits it will have.
    pub fn mended(&self) -> u32 {
        if self.is_directory { DIRECTORY } else { FILE }
    }
}

/// Something whose permissions are wrong, or cannot be seen, and are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What.
    pub path: PathBuf,
    /// Why, printable.
    pub why: String,
}

/// What is wrong with permissions in `private/`. Directories come before what is in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    /// What can be mended.
    pub loose: Vec<Loose>,
    /// What cannot.
    pub left: Vec<Left>,
}

impl TrustDir {
    /// Looks at the permissions of `private/` and of everything in it.
    pub fn modes(&self) -> Modes {
        let mut modes = Modes::default();
        modes.look(&self.private(), rustix::process::geteuid().as_raw(), 0);
        modes.loose.sort_by(|a, b| a.path.cmp(&b.path));
        modes.left.sort_by(|a, b| a.path.cmp(&b.path));
        modes
    }
}

/// Whether the owner cannot use it, or anybody else can.
fn is_loose(mode: u32, is_directory: bool) -> bool {
    let needed = if is_directory { 0o700 } else { 0o400 };
    mode & 0o077 != 0 || mode & needed != needed
}

impl Modes {
    fn look(&mut self, path: &Path, user: u32, depth: usize) {
        let leave = |why: String| Left { path: path.to_owned(), why };
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => return self.left.push(leave(format!("it cannot be looked at: {e}"))),
        };
        let (is_directory, mode) = (meta.is_dir(), meta.mode() & 0o7777);
        if !is_directory && !meta.is_file() {
            // Only here does it hide anything: elsewhere a link or a pipe has no key's permissions.
            if depth == 0 {
                self.left.push(leave("it is no directory, and no link is followed".to_owned()));
            }
            return;
        }
        let loose = is_loose(mode, is_directory);
        match loose {
            true if meta.uid() != user => {
                let why = format!("it belongs to another user (number {}), who alone can mend it (mode {mode:04o})", meta.uid());
                self.left.push(leave(why));
            }
            true => self.loose.push(Loose { path: path.to_owned(), is_directory, mode }),
            false => {}
        }
        if !is_directory {
            return;
        }
        if depth == MAX_DEPTH {
            return self.left.push(leave("it is nested too deeply; what is in it was not looked at".to_owned()));
        }
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => self.look(&entry.path(), user, depth + 1),
                        Err(e) => self.left.push(leave(format!("it cannot be read whole: {e}"))),
                    }
                }
            }
            // What is in it is seen when it is mended.
            Err(_) if loose && meta.uid() == user => {}
            Err(e) => self.left.push(leave(format!("it cannot be read: {e}"))),
        }
    }
}

impl Writer<'_> {
    /// Mends the permissions of one thing, if it is still what it was. When it returns, the disk has them.
    pub fn mend(&mut self, loose: &Loose) -> Result<(), TrustDirError> {
        let path = loose.path.as_path();
        let failed = |e: Errno| match e {
            Errno::LOOP => TrustDirError::Symlink(shown(path)),
            e => TrustDirError::Io { what: "mend", path: shown(path), source: e.into() },
        };
        let (above, name) = self.above(path).map_err(failed)?;
        let mode = Mode::from_raw_mode(loose.mended());
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(&above, &name, flags, Mode::empty());
        let fd = match open() {
            Ok(fd) => {
                loose.is_still(&rustix::fs::fstat(&fd).map_err(failed)?)?;
                rustix::fs::fchmod(&fd, mode).map_err(failed)?;
                fd
            }
            // Its owner may not read it. Where nobody else can put anything in its place, its name will do.
            Err(Errno::ACCESS) if is_private(&above) => {
                loose.is_still(&rustix::fs::statat(&above, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?)?;
                rustix::fs::chmodat(&above, &name, mode, AtFlags::empty()).map_err(failed)?;
                open().map_err(failed)?
            }
            Err(e) => return Err(failed(e)),
        };
        let unconfirmed = |e: Errno| TrustDirError::Unconfirmed { what: "mended", path: shown(path), source: e.into() };
        rustix::fs::fsync(&fd).map_err(unconfirmed)
    }

    /// The directory of something below `private/`, opened part by part without following a link, and its name there.
    fn above(&self, path: &Path) -> rustix::io::Result<(OwnedFd, OsString)> {
        let below = path.strip_prefix(self.dir().path()).ok().filter(|p| p.starts_with("private")).ok_or(Errno::INVAL)?;
        let (directory, name) = (below.parent().ok_or(Errno::INVAL)?, below.file_name().ok_or(Errno::INVAL)?);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |fd: &OwnedFd, part: &OsStr| rustix::fs::openat(fd, part, flags, Mode::empty());
        let start = open(self.root(), OsStr::new("."))?;
        let fd = directory.components().try_fold(start, |fd, part| open(&fd, part.as_os_str()))?;
        Ok((fd, name.to_owned()))
    }
}

impl Loose {
    /// Fails if what is there now is something else.
    fn is_still(&self, stat: &Stat) -> Result<(), TrustDirError> {
        let kind = if self.is_directory { FileType::Directory } else { FileType::RegularFile };
        let same = FileType::from_raw_mode(stat.st_mode) == kind
            && stat.st_mode & 0o7777 == self.mode
            && stat.st_uid == rustix::process::geteuid().as_raw();
        if same { Ok(()) } else { Err(TrustDirError::Changed(shown(&self.path))) }
    }
}

/// Whether a directory belongs to this user and nobody else can change it.
fn is_private(fd: &OwnedFd) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|s| s.st_uid == rustix::process::geteuid().as_raw() && s.st_mode & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn what_others_can_reach_is_mended_from_the_top_and_nothing_else_is_touched() {
        let home = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(home.path().join("trust"));
        let private = dir.private();
        fs::create_dir_all(private.join("sub")).unwrap();
        let outside = home.path().join("outside");
        let modes: [(&str, u32, u32); 6] = [
            ("good.key", 0o600, 0o600),
            ("only-read.key", 0o400, 0o400),
            ("others.key", 0o644, 0o600),
            ("shut.key", 0o000, 0o600),
            ("odd.key", 0o4711, 0o600),
            ("sub/notes.txt", 0o666, 0o600),
        ];
        for (name, before, _) in modes {
            fs::write(private.join(name), name).unwrap();
            set(&private.join(name), before);
        }
        fs::write(&outside, "x").unwrap();
        set(&outside, 0o644);
        symlink(&outside, private.join("link.key")).unwrap();
        set(&private.join("sub"), 0o755);
        set(&private, 0o777);
        let found = dir.modes();
        assert_eq!(found.left, []);
        let names: Vec<&Path> = found.loose.iter().map(|l| l.path.strip_prefix(dir.path()).unwrap()).collect();
        let expected = ["", "/odd.key", "/others.key", "/shut.key", "/sub", "/sub/notes.txt"].map(|n| format!("private{n}"));
        assert_eq!(names, expected.each_ref().map(Path::new));
        let mut writer = dir.write().unwrap();
        found.loose.iter().for_each(|l| writer.mend(l).unwrap());
        for (name, _, after) in modes {
            assert_eq!(mode(&private.join(name)), after, "{name}");
        }
        assert_eq!((mode(&private), mode(&private.join("sub")), mode(&outside)), (0o700, 0o700, 0o644));
        assert_eq!(dir.modes(), Modes::default());
    }

    #[test]
    fn what_has_changed_since_it_was_looked_at_is_left() {
        let home = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(home.path().join("trust"));
        let outside = home.path().join("outside");
        fs::create_dir_all(dir.private()).unwrap();
        set(&dir.private(), 0o700);
        let path = dir.private().join("a.key");
        for file in [&path, &outside] {
            fs::write(file, "x").unwrap();
            set(file, 0o644);
        }
        let [loose] = &dir.modes().loose[..] else { panic!() };
        let mut writer = dir.write().unwrap();
        set(&path, 0o640);
        assert!(matches!(writer.mend(loose), Err(TrustDirError::Changed(_))));
        fs::remove_file(&path).unwrap();
        assert!(writer.mend(loose).is_err());
        symlink(&outside, &path).unwrap();
        assert!(matches!(writer.mend(loose), Err(TrustDirError::Symlink(_))));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(writer.mend(loose), Err(TrustDirError::Changed(_))));
        assert!(writer.mend(&Loose { path: outside.clone(), is_directory: false, mode: 0o644 }).is_err());
        assert_eq!(mode(&outside), 0o644);
        // Nothing was made where nothing was.
        let elsewhere = Loose { path: dir.private().join("no/b.key"), is_directory: false, mode: 0o644 };
        assert!(writer.mend(&elsewhere).is_err() && !dir.private().join("no").exists());
    }
}
