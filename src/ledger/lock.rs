//! One process at a time in a data folder. The lock is the operating system's,
//! so a killed process leaves none behind; the file's text names the holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why a folder cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("the data folder is in use by {holder}")]
    Held {
        /// Process id, command and address, as that process wrote them.
        holder: String,
    },
    /// The file cannot be opened or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lock {
    /// Locks a folder for this process; `purpose` tells others what it does.
    pub fn take(folder: &Path, purpose: &str) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                let holder = match holder.trim() {
                    "" => "another process that has just begun".to_owned(),
                    text => text.to_owned(),
                };
                return Err(LockError::Held { holder });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut lock = Self { file };
        lock.describe(purpose)?;
        Ok(lock)
    }

    /// Changes what others are told, for instance once the address is known.
    pub fn describe(&mut self, purpose: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "process {} ({purpose})", std::process::id())?;
        self.file.flush()
    }
}
