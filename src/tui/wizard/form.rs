//! A form that is being filled: what stands in its fields, which one has the input, and what each is understood as.
use crate::{
    operator::{Field, Form, Kind, Values},
    procedures::paths,
    tui::{action::Edit, typing},
};
use tui_input::Input;

/// A form that is being filled.
#[derive(Debug)]
pub struct FormPage {
    /// What is asked.
    pub form: Form,
    /// What stands in each field, in the same order.
    pub states: Vec<FieldState>,
    /// The number of the field that has the input.
    pub focus: usize,
}

/// What stands in a field.
#[derive(Debug)]
pub struct FieldState {
    /// The text, or the chosen value.
    pub input: Input,
    /// Whether somebody has been here: before that, nothing is called wrong.
    pub touched: bool,
    /// What it is understood as, or what is wrong with it.
    pub verdict: Result<Option<String>, String>,
}

impl FormPage {
    /// A form with what is in it at first.
    pub fn new(form: Form) -> Self {
        let state = |f: &Field| FieldState { input: Input::new(f.initial.clone()), touched: false, verdict: Ok(None) };
        let mut page = Self { states: form.fields.iter().map(state).collect(), form, focus: 0 };
        page.judge();
        page
    }

    /// Fields with what stands in them.
    pub fn fields(&self) -> impl Iterator<Item = (&Field, &FieldState)> {
        self.form.fields.iter().zip(&self.states)
    }

    /// The field that has the input.
    pub fn focused(&self) -> Option<&Field> {
        self.form.fields.get(self.focus)
    }

    /// Everything that was filled in.
    pub fn values(&self) -> Values {
        let mut values = Values::of(&self.form);
        for (field, state) in self.fields() {
            match field.kind {
                Kind::Path => values.set(field.name, paths::expand(state.input.value())),
                _ => values.set(field.name, state.input.value()),
            }
        }
        values
    }

    /// Types into the field that has the input.
    pub fn edit(&mut self, edit: Edit) {
        if let (Some(Field { kind: Kind::Text | Kind::Path, .. }), Some(state)) =
            (self.form.fields.get(self.focus), self.states.get_mut(self.focus))
        {
            state.touched = true;
            typing::edit(&mut state.input, edit);
            self.judge();
        }
    }

    /// Chooses a neighbour of what is chosen; behind the last comes the first.
    pub fn turn(&mut self, forward: bool) {
        if let (Some(Field { kind: Kind::Choice(options), .. }), Some(state)) =
            (self.form.fields.get(self.focus), self.states.get_mut(self.focus))
        {
            let at = options.iter().position(|o| o.value == state.input.value()).unwrap_or(0);
            let by = if forward { 1 } else { options.len().saturating_sub(1) };
            if let Some(o) = options.get((at + by) % options.len().max(1)) {
                state.input = Input::new(o.value.to_owned());
            }
            state.touched = true;
            self.judge();
        }
    }

    /// Completes the name of a file. Where nothing can be added it goes to the next field, and where several names begin as
    /// it does, these are returned.
    pub fn complete(&mut self) -> Vec<String> {
        if let (Some(Field { kind: Kind::Path, .. }), Some(state)) =
            (self.form.fields.get(self.focus), self.states.get_mut(self.focus))
        {
            let before = state.input.value().to_owned();
            let found = if before.is_empty() { None } else { Some(paths::complete(&before)) };
            if let Some(found) = found.filter(|f| f.typed != before || !f.several.is_empty()) {
                state.input = Input::new(found.typed);
                self.judge();
                return found.several;
            }
        }
        self.forward();
        Vec::new()
    }

    /// To the next field; whether there is one.
    pub fn forward(&mut self) -> bool {
        let there = self.focus + 1 < self.states.len();
        self.go(if there { self.focus + 1 } else { self.focus });
        there
    }

    /// To the field before.
    pub fn backward(&mut self) {
        self.go(self.focus.saturating_sub(1));
    }

    /// What was filled in, if nothing is wrong with it; otherwise to the first field that is wrong.
    pub fn take(&mut self) -> Option<Values> {
        // What was right may be wrong by now: a file may have come.
        self.judge();
        match self.states.iter().position(|s| s.verdict.is_err()) {
            None => Some(self.values()),
            Some(wrong) => {
                self.states.iter_mut().for_each(|s| s.touched = true);
                self.go(wrong);
                None
            }
        }
    }

    fn go(&mut self, to: usize) {
        if let Some(left) = self.states.get_mut(self.focus) {
            left.touched = true;
        }
        self.focus = to;
    }

    fn judge(&mut self) {
        let values = self.values();
        for (field, state) in self.form.fields.iter().zip(&mut self.states) {
            state.verdict = field.judge(&values);
        }
    }
}
