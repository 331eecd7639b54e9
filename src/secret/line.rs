//! One line read from the terminal itself: a terminal library keeps copies of what it reads. The terminal
//! must be raw already, so that nothing is echoed, and nobody else may read it meanwhile.
use super::Passphrase;
use crate::os::strongroom;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{QueueSelector, tcflush},
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read as _},
};
use zeroize::{Zeroize as _, Zeroizing};

/// Most bytes of a passphrase that is typed. The buffer has this size from the start: one that grows leaves copies.
pub const MOST: usize = 1024;
/// Bytes that are taken from the terminal at once.
const CHUNK: usize = 256;
/// A terminal sends the rest of a key's sequence at once; an Esc that stands alone for this long is the key.
const ESC_ALONE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// What somebody did at the question.
pub enum Line {
    /// Typed this and pressed Enter. White space at either end is gone, as Notary and docker do it.
    Entered(Passphrase),
    /// Typed more than fits, and pressed Enter.
    TooLong,
    /// Pressed Esc.
    Escape,
    /// Pressed Ctrl-C.
    Interrupt,
    /// Pressed Ctrl-X: everything is to be forgotten.
    Lock,
    /// Nobody can answer any more: the terminal is gone, or the program is ending.
    Gone,
}

/// What happens while a line is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// This is what was typed so far.
    Typed(&'a [u8]),
    /// Pressed Ctrl-R: it is to be remembered, or no longer.
    Remember,
    /// Pressed Ctrl-G: one is to be drawn by lot.
    Draw,
}

/// Reads lines of the terminal until the [`Stop`] that came with it is dropped.
pub struct TerminalLine {
    tty: File,
    stop: PipeReader,
    chunk: Zeroizing<Vec<u8>>,
    at: usize,
    end: usize,
}

/// Ends the reading when it is dropped.
pub struct Stop(#[expect(dead_code, reason = "held to be dropped")] PipeWriter);

impl TerminalLine {
    /// Opens the terminal for a screen. What was typed before is thrown away, and so is what is typed after the line: it was
    /// meant for something else.
    pub fn open() -> io::Result<(Self, Stop)> {
        let opened = Self::new(CHUNK)?;
        tcflush(&opened.0.tty, QueueSelector::IFlush)?;
        Ok(opened)
    }

    /// Opens the terminal for one question among several: what is typed ahead waits for the next one.
    pub fn one_of_several() -> io::Result<(Self, Stop)> {
        Self::new(1)
    }

    fn new(chunk: usize) -> io::Result<(Self, Stop)> {
        let tty = File::open("/dev/tty")?;
        let (stop, writer) = io::pipe()?;
        let chunk = strongroom(|| Zeroizing::new(vec![0; chunk]));
        Ok((Self { tty, stop, chunk, at: 0, end: 0 }, Stop(writer)))
    }

    /// Reads one line. `heard` is told what happens on the way, whenever nothing more has been typed yet.
    pub fn read(&mut self, heard: &mut dyn FnMut(Heard<'_>)) -> Line {
        strongroom(|| self.read_inside(heard))
    }

    fn read_inside(&mut self, heard: &mut dyn FnMut(Heard<'_>)) -> Line {
        let mut typed = Typed::default();
        let mut news = false;
        loop {
            if self.at == self.end && std::mem::take(&mut news) {
                heard(Heard::Typed(&typed.bytes));
            }
            let key = match self.byte(typed.waits_for_more()) {
                Ok(Some(byte)) => typed.take(byte),
                Ok(None) => Some(Key::Escape),
                Err(_) => return Line::Gone,
            };
            news = true;
            match key {
                Some(Key::Enter) => return typed.line(),
                Some(Key::Escape) => return Line::Escape,
                Some(Key::Interrupt) => return Line::Interrupt,
                Some(Key::Lock) => return Line::Lock,
                Some(Key::Remember) => heard(Heard::Remember),
                Some(Key::Draw) => heard(Heard::Draw),
                None => {}
            }
        }
    }

    /// The next byte; none if Esc has turned out to be a key.
    fn byte(&mut self, after_esc: bool) -> io::Result<Option<u8>> {
        while self.at == self.end {
            if !self.wait(after_esc)? {
                return Ok(None);
            }
            (self.at, self.end) = (0, self.tty.read(self.chunk.as_mut_slice())?);
            if self.end == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let byte = self.chunk.get_mut(self.at).map(std::mem::take);
        self.at += 1;
        Ok(byte)
    }

    /// Whether there is something to read; not only if Esc has been alone for long enough.
    fn wait(&self, after_esc: bool) -> io::Result<bool> {
        loop {
            let mut fds = [PollFd::new(&self.tty, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
            match poll(&mut fds, after_esc.then_some(&ESC_ALONE)) {
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
                Ok(0) => return Ok(false),
                Ok(_) => {}
            }
            let [tty, stop] = fds.map(|f| f.revents());
            return match (stop.is_empty(), tty.contains(PollFlags::IN)) {
                (true, true) => Ok(true),
                _ => Err(io::ErrorKind::Interrupted.into()),
            };
        }
    }
}

impl Drop for TerminalLine {
    /// What else was typed at the question is part of no answer, and no command to what is shown next.
    fn drop(&mut self) {
        if self.chunk.len() > 1 {
            let _ = tcflush(&self.tty, QueueSelector::IFlush);
        }
    }
}

/// A key that is no part of a line.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Enter,
    Escape,
    Interrupt,
    Lock,
    Remember,
    Draw,
}

/// Where in a sequence of a special key the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sequence {
    #[default]
    None,
    /// After Esc.
    Esc,
    /// After Esc and `[`: parameters, then one final byte.
    Csi,
    /// After Esc and `O`: one character.
    Ss3,
    /// After the first byte of a character that is no part of the line.
    Rest,
}

/// What was typed so far. Arrows, function keys, the mouse and the marks around a paste are passed over.
struct Typed {
    bytes: Zeroizing<Vec<u8>>,
    too_long: bool,
    sequence: Sequence,
}

impl Default for Typed {
    fn default() -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(MOST)), too_long: false, sequence: Sequence::None }
    }
}

impl Typed {
    fn waits_for_more(&self) -> bool {
        self.sequence == Sequence::Esc
    }

    fn take(&mut self, byte: u8) -> Option<Key> {
        match (std::mem::take(&mut self.sequence), byte) {
            (Sequence::Esc, b'[') => self.sequence = Sequence::Csi,
            (Sequence::Esc, b'O') => self.sequence = Sequence::Ss3,
            (Sequence::Esc, 0x1b) => return Some(Key::Escape),
            // Function keys of a bare console.
            (Sequence::Csi, b'[') => self.sequence = Sequence::Ss3,
            (Sequence::Csi, b' '..=b'?') => self.sequence = Sequence::Csi,
            // A key with Alt, and the end of a sequence: a character may have several bytes.
            (Sequence::Esc | Sequence::Csi | Sequence::Ss3, 0xc0..) | (Sequence::Rest, 0x80..=0xbf) => {
                self.sequence = Sequence::Rest;
            }
            (Sequence::Esc | Sequence::Csi | Sequence::Ss3, _) => {}
            (Sequence::Rest, _) => return self.take(byte),
            (Sequence::None, 0x1b) => self.sequence = Sequence::Esc,
            (Sequence::None, b'\r' | b'\n') => return Some(Key::Enter),
            (Sequence::None, 0x03) => return Some(Key::Interrupt),
            // The end of the input, where there is none yet.
            (Sequence::None, 0x04) if self.bytes.is_empty() => return Some(Key::Escape),
            (Sequence::None, 0x7f | 0x08) => self.backspace(),
            (Sequence::None, 0x15) => self.clear(),
            (Sequence::None, 0x12) => return Some(Key::Remember),
            (Sequence::None, 0x07) => return Some(Key::Draw),
            (Sequence::None, 0x18) => return Some(Key::Lock),
            // A tab may stand in a passphrase; other control characters are keys that mean nothing here.
            (Sequence::None, 0..=0x1f) if byte != b'\t' => {}
            (Sequence::None, _) if self.bytes.len() == MOST => self.too_long = true,
            (Sequence::None, _) => self.bytes.push(byte),
        }
        None
    }

    /// Takes back one character, which may be several bytes.
    fn backspace(&mut self) {
        while let Some(last) = self.bytes.last_mut() {
            let inside = *last & 0xc0 == 0x80;
            last.zeroize();
            self.bytes.pop();
            if !inside {
                break;
            }
        }
    }

    fn clear(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        self.too_long = false;
    }

    fn line(&self) -> Line {
        match self.too_long {
            true => Line::TooLong,
            false => Line::Entered(Passphrase::of(self.bytes.trim_ascii())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the line is after these bytes and Enter.
    fn typed(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut t = Typed::default();
        for b in bytes {
            assert_eq!(t.take(*b), None, "{bytes:?}");
        }
        assert_eq!(t.take(b'\r'), Some(Key::Enter));
        match t.line() {
            Line::Entered(p) => Some(p.expose().to_vec()),
            _ => None,
        }
    }

    #[test]
    fn a_line_is_what_was_typed_and_not_taken_back() {
        for (bytes, line) in [
            (&b"correct horse"[..], &b"correct horse"[..]),
            (b"  blanks at the ends \t", b"blanks at the ends"),
            (b"abc\x7f\x08d", b"ad"),
            (b"\x7f\x7fa", b"a"),
            ("aé日\x7f\x7fb".as_bytes(), b"ab"),
            (b"wrong\x15right", b"right"),
            (b"\x01\x1a\x00a", b"a"),
            (b"", b""),
        ] {
            assert_eq!(typed(bytes).as_deref(), Some(line), "{bytes:?}");
        }
    }

    #[test]
    fn arrows_the_mouse_and_the_marks_of_a_paste_are_no_part_of_a_passphrase() {
        for bytes in [
            &b"\x1b[200~se\x1b[Acret\x1b[201~"[..],
            b"\x1b[<0;12;7Msecret\x1b[<0;12;7m",
            b"\x1bOPse\x1b[1;5Ccret",
            b"sec\x1b[15~ret",
            b"secret\x1bx",
            "se\x1bécr\x1b日et\x1bOé".as_bytes(),
            "\x1b🔑secret".as_bytes(),
            "\x1bé\x1bésecret\x1bé".as_bytes(),
        ] {
            assert_eq!(typed(bytes).as_deref(), Some(&b"secret"[..]), "{bytes:?}");
        }
    }

    #[test]
    fn escape_and_control_c_end_the_line() {
        let mut t = Typed::default();
        assert_eq!((t.take(b'a'), t.take(0x1b), t.waits_for_more()), (None, None, true));
        assert_eq!(t.take(0x1b), Some(Key::Escape));
        assert_eq!(Typed::default().take(3), Some(Key::Interrupt));
        assert_eq!(Typed::default().take(4), Some(Key::Escape));
        assert_eq!(Typed::default().take(0x18), Some(Key::Lock));
        // A character with Alt is no part of the line, and what follows it is heard.
        for end in [0x03, 0x18, 0x12, 0x07, 0x0d] {
            let mut t = Typed::default();
            assert!("\x1bé".bytes().all(|b| t.take(b).is_none()));
            assert!(t.take(end).is_some() && t.bytes.is_empty(), "{end:#x}");
        }
    }

    #[test]
    fn the_buffer_never_moves_and_one_byte_too_many_is_not_dropped_in_silence() {
        let mut t = Typed::default();
        let at = t.bytes.as_ptr();
        for _ in 0..MOST {
            t.take(b'x');
        }
        assert!(matches!(t.line(), Line::Entered(p) if p.expose().len() == MOST));
        t.take(b'x');
        assert!(matches!(t.line(), Line::TooLong));
        assert_eq!(t.bytes.as_ptr(), at);
        t.take(0x15);
        assert!(matches!(t.line(), Line::Entered(p) if p.is_empty()));
    }
}
