//! Lines of text that are typed: the filter, and the fields of a form.
use super::action::Edit;
use tui_input::{Input, InputRequest};

/// Most characters of a line.
const MOST: usize = 1000;

/// Changes a line by one editing key.
pub fn edit(input: &mut Input, edit: Edit) {
    let request = match edit {
        Edit::Insert(text) => {
            // What is pasted may have lines; this is one.
            let room = MOST.saturating_sub(input.value().chars().count());
            for c in text.chars().filter(|c| !c.is_control()).take(room) {
                input.handle(InputRequest::InsertChar(c));
            }
            return;
        }
        Edit::Backspace => InputRequest::DeletePrevChar,
        Edit::Delete => InputRequest::DeleteNextChar,
        Edit::DeleteWord => InputRequest::DeletePrevWord,
        Edit::Clear => InputRequest::DeleteLine,
        Edit::Left => InputRequest::GoToPrevChar,
        Edit::Right => InputRequest::GoToNextChar,
        Edit::Home => InputRequest::GoToStart,
        Edit::End => InputRequest::GoToEnd,
    };
    input.handle(request);
}
