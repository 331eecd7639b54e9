//! Long lists: rows with everything prepared that sorting and filtering need, and a view of them that is only
//! recomputed when its filter or order changes. Preparing is slow and done off the drawing thread; a key press in a
//! list of 100,000 rows then costs one pass over integers.
use std::cmp::Ordering;

/// A row that can be listed.
pub trait Listed {
    /// The columns by which the list can be sorted; the first is the order in which the list opens.
    const ORDERS: &'static [&'static str];
    /// The text in which a filter looks, in any case.
    fn haystack(&self) -> String;
    /// Compares by the column of that number.
    fn compare(&self, other: &Self, order: usize) -> Ordering;
}

/// Rows, what a filter sees of them, and their orders.
#[derive(Debug)]
pub struct Roster<R> {
    rows: Vec<R>,
    hay: Vec<Box<str>>,
    orders: Vec<Vec<u32>>,
}

impl<R> Default for Roster<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), hay: Vec::new(), orders: Vec::new() }
    }
}

impl<R: Listed> Roster<R> {
    /// Prepares rows. Rows that compare equal keep the order they came in.
    pub fn new(rows: Vec<R>) -> Self {
        let hay = rows.iter().map(|r| r.haystack().to_lowercase().into_boxed_str()).collect();
        let mut roster = Self { rows, hay, orders: Vec::new() };
        roster.sort();
        roster
    }

    /// Puts another row in the place of one; [`Roster::sort`] must follow before the next view.
    pub fn replace(&mut self, index: usize, row: R) {
        if let (Some(r), Some(h)) = (self.rows.get_mut(index), self.hay.get_mut(index)) {
            *h = row.haystack().to_lowercase().into_boxed_str();
            *r = row;
        }
    }

    /// Puts all orders right.
    pub fn sort(&mut self) {
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let rows = &self.rows;
        self.orders = (0..R::ORDERS.len())
            .map(|by| {
                let mut order: Vec<u32> = (0..count).collect();
                order.sort_by(|a, b| match (rows.get(*a as usize), rows.get(*b as usize)) {
                    (Some(a), Some(b)) => a.compare(b, by),
                    _ => Ordering::Equal,
                });
                order
            })
            .collect();
    }

    /// All rows, as they came.
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// All rows, for changes that neither filter nor order depend on; for others [`Roster::sort`] must follow.
    pub fn rows_mut(&mut self) -> &mut [R] {
        &mut self.rows
    }

    /// All rows, taken out.
    pub fn into_rows(self) -> Vec<R> {
        self.rows
    }

    /// One row.
    pub fn get(&self, index: usize) -> Option<&R> {
        self.rows.get(index)
    }

    /// Row numbers in an order.
    pub fn in_order(&self, order: usize) -> &[u32] {
        self.orders.get(order).map_or(&[], Vec::as_slice)
    }
}

/// What of a list is on the screen: filter, order, the selected row and the first one shown.
#[derive(Debug, Default, Clone)]
pub struct View {
    filter: String,
    order: usize,
    shown: Vec<u32>,
    cursor: usize,
    top: usize,
}

impl View {
    /// Computes again which rows are shown, in which order. The selected row stays selected if it is still there.
    pub fn refresh<R: Listed>(&mut self, roster: &Roster<R>) {
        let selected = self.selected();
        let needles: Vec<String> = self.filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let hit = |i: &u32| roster.hay.get(*i as usize).is_some_and(|h| needles.iter().all(|n| h.contains(n.as_str())));
        let order = roster.in_order(self.order);
        self.shown = if needles.is_empty() { order.to_vec() } else { order.iter().copied().filter(hit).collect() };
        self.follow(selected);
    }

    /// Narrows the rows that are shown already: right after the filter has grown at its end.
    fn narrow<R: Listed>(&mut self, roster: &Roster<R>) {
        let selected = self.selected();
        let needles: Vec<String> = self.filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.shown.retain(|i| roster.hay.get(*i as usize).is_some_and(|h| needles.iter().all(|n| h.contains(n.as_str()))));
        self.follow(selected);
    }

    fn follow(&mut self, selected: Option<usize>) {
        self.cursor = selected.and_then(|s| self.shown.iter().position(|i| *i as usize == s)).unwrap_or(0);
    }

    /// Shows a list that is not a roster: so many rows, as they are.
    pub fn plain(&mut self, count: usize) {
        let selected = self.selected();
        self.shown = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        self.cursor = selected.unwrap_or(0).min(count.saturating_sub(1));
    }

    /// Shows exactly these rows of a list, in this order.
    pub fn exactly(&mut self, rows: Vec<u32>) {
        let selected = self.selected();
        let at = self.cursor;
        self.shown = rows;
        self.cursor = selected
            .and_then(|s| self.shown.iter().position(|i| *i as usize == s))
            .unwrap_or(at)
            .min(self.shown.len().saturating_sub(1));
    }

    /// Sets the filter.
    pub fn set_filter<R: Listed>(&mut self, filter: &str, roster: &Roster<R>) {
        let grown = !self.filter.is_empty() && filter.starts_with(&self.filter);
        self.filter = filter.to_owned();
        if grown { self.narrow(roster) } else { self.refresh(roster) }
    }

    /// The filter; empty if there is none.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Sorts by the next column.
    pub fn next_order<R: Listed>(&mut self, roster: &Roster<R>) {
        self.order = (self.order + 1) % R::ORDERS.len().max(1);
        self.refresh(roster);
    }

    /// The number of the column that sorts.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Moves the selection by so many rows.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.shown.len().saturating_sub(1));
    }

    /// Selects the row at a place in what is shown.
    pub fn select_shown(&mut self, at: usize) -> bool {
        let there = at < self.shown.len();
        if there {
            self.cursor = at;
        }
        there
    }

    /// Selects a row by its number in the list.
    pub fn select(&mut self, index: usize) {
        self.follow(Some(index));
    }

    /// The number in the list of the selected row.
    pub fn selected(&self) -> Option<usize> {
        self.shown.get(self.cursor).map(|i| *i as usize)
    }

    /// Place of the selection in what is shown.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// How many rows the filter lets through.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The first row on the screen, as a place in what is shown.
    pub fn top(&self) -> usize {
        self.top
    }

    /// Scrolls so that the selection is among `height` rows, and no room is wasted below the last.
    pub fn keep_visible(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self.top.min(self.cursor).min(self.shown.len().saturating_sub(height));
        if self.cursor >= self.top + height {
            self.top = self.cursor + 1 - height;
        }
    }

    /// The rows on the screen: place on the screen, number in the list.
    pub fn on_screen(&self, height: usize) -> impl Iterator<Item = (usize, usize)> {
        self.shown.iter().skip(self.top).take(height).map(|i| *i as usize).enumerate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Word(&'static str);
    impl Listed for Word {
        const ORDERS: &'static [&'static str] = &["as it is", "backwards"];
        fn haystack(&self) -> String {
            self.0.to_owned()
        }
        fn compare(&self, other: &Self, order: usize) -> Ordering {
            if order == 1 { other.0.cmp(self.0) } else { Ordering::Equal }
        }
    }

    fn shown(v: &View, r: &Roster<Word>) -> Vec<&'static str> {
        v.on_screen(99).map(|(_, i)| r.rows()[i].0).collect()
    }

    #[test]
    fn a_filter_takes_every_word_in_any_case_and_the_selection_stays() {
        let r = Roster::new(vec![Word("alpha one"), Word("Beta two"), Word("gamma One")]);
        let mut v = View::default();
        v.refresh(&r);
        v.step(2);
        v.set_filter("ONE", &r);
        assert_eq!(shown(&v, &r), ["alpha one", "gamma One"]);
        assert_eq!(v.selected(), Some(2));
        v.set_filter("ONE al", &r);
        assert_eq!(shown(&v, &r), ["alpha one"]);
        v.set_filter("", &r);
        assert_eq!(v.len(), 3);
        assert_eq!(v.selected(), Some(0));
        v.set_filter("nothing", &r);
        assert_eq!((v.selected(), v.is_empty()), (None, true));
    }

    #[test]
    fn sorting_keeps_the_selected_row() {
        let r = Roster::new(vec![Word("b"), Word("a"), Word("c")]);
        let mut v = View::default();
        v.refresh(&r);
        v.step(1);
        v.next_order(&r);
        assert_eq!(shown(&v, &r), ["c", "b", "a"]);
        assert_eq!(v.selected(), Some(1));
        v.next_order(&r);
        assert_eq!(shown(&v, &r), ["b", "a", "c"]);
    }

    #[test]
    fn the_selection_never_leaves_the_list_nor_the_screen() {
        let mut v = View::default();
        v.plain(100);
        for (step, height) in [(5, 10), (isize::MAX, 10), (isize::MIN, 3), (50, 0), (-3, 1)] {
            v.step(step);
            v.keep_visible(height);
            assert!(v.cursor() < 100);
            assert!(v.top() <= v.cursor() && v.cursor() < v.top() + height.max(1));
        }
        v.plain(0);
        v.step(1);
        v.keep_visible(10);
        assert_eq!((v.selected(), v.cursor(), v.top()), (None, 0, 0));
    }

    #[test]
    fn a_hundred_thousand_rows_are_shown_a_screen_at_a_time() {
        let r = Roster::new((0..100_000).map(|_| Word("x")).collect());
        let mut v = View::default();
        v.refresh(&r);
        v.step(70_000);
        v.keep_visible(20);
        assert_eq!(v.on_screen(20).count(), 20);
        assert_eq!(v.on_screen(20).last().map(|(_, i)| i), Some(70_000));
    }
}
