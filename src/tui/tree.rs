//! The chain of trust laid out in lines: a role, what it may sign, its keys; then the roles below it.
use crate::{
    tuf::name::RoleName,
    views::chain::{ChainNode, NodeState},
};
use std::collections::HashSet;

/// A role with its place in the tree.
#[derive(Debug)]
pub struct Branch {
    /// The role; its children were moved out and stand further down in [`Tree::branches`].
    pub node: ChainNode,
    /// Number of the role above.
    pub parent: Option<usize>,
    /// For each level above, whether more siblings follow there; the last entry is about this role itself.
    pub guides: Vec<bool>,
    /// Whether roles stand below.
    pub has_children: bool,
}

/// What a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The role itself.
    Role,
    /// What it may sign.
    Paths,
    /// One of its keys, by number.
    Key(usize),
}

/// A chain of trust, laid out.
#[derive(Debug, Default)]
pub struct Tree {
    branches: Vec<Branch>,
    lines: Vec<(usize, Line)>,
}

impl Tree {
    /// Lays out a chain.
    pub fn new(root: ChainNode) -> Self {
        let mut tree = Self::default();
        // A stack of its own: delegations nest as deep as a signer likes.
        let mut waiting = vec![(root, None, Vec::new())];
        while let Some((mut node, parent, guides)) = waiting.pop() {
            let children = std::mem::take(&mut node.children);
            let at = tree.branches.len();
            let count = children.len();
            for (i, child) in children.into_iter().enumerate().rev() {
                let mut below: Vec<bool> = guides.clone();
                below.push(i + 1 < count);
                waiting.push((child, Some(at), below));
            }
            tree.lines.push((at, Line::Role));
            if signs_paths(&node.role) {
                tree.lines.push((at, Line::Paths));
            }
            tree.lines.extend((0..node.keys.len()).map(|k| (at, Line::Key(k))));
            tree.branches.push(Branch { node, parent, guides, has_children: count > 0 });
        }
        tree
    }

    /// All roles, each before those below it.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// A line: its role, and what of it.
    pub fn line(&self, index: usize) -> Option<(&Branch, Line)> {
        let (b, l) = self.lines.get(index)?;
        Some((self.branches.get(*b)?, *l))
    }

    /// The lines that are seen when these roles are folded: of a folded role only its own line, nothing below.
    pub fn visible(&self, folded: &HashSet<RoleName>) -> Vec<u32> {
        let mut hidden = vec![false; self.branches.len()];
        for i in 0..self.branches.len() {
            let above = self.branches.get(i).and_then(|b| b.parent).is_some_and(|p| {
                hidden.get(p).copied().unwrap_or(false) || self.branches.get(p).is_some_and(|b| folded.contains(&b.node.role))
            });
            if let Some(h) = hidden.get_mut(i) {
                *h = above;
            }
        }
        let seen = |(b, l): &(usize, Line)| {
            !hidden.get(*b).copied().unwrap_or(false)
                && (*l == Line::Role || !self.branches.get(*b).is_some_and(|b| folded.contains(&b.node.role)))
        };
        let count = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        (0..count).zip(&self.lines).filter(|(_, l)| seen(l)).map(|(i, _)| i).collect()
    }

    /// Roles that were refused.
    pub fn refused(&self) -> Vec<&str> {
        let refused = self.branches.iter().filter(|b| matches!(b.node.state, NodeState::Refused(_)));
        refused.map(|b| b.node.role.as_str()).collect()
    }
}

/// Whether a role signs names, so that it matters which.
fn signs_paths(role: &RoleName) -> bool {
    role.is_delegation() || role.as_str() == "targets"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, children: Vec<ChainNode>) -> ChainNode {
        ChainNode {
            role: RoleName::new(name).unwrap(),
            state: NodeState::Verified,
            version: Some(1),
            expires: None,
            threshold: 1,
            keys: Vec::new(),
            paths: Vec::new(),
            targets: None,
            findings: Vec::new(),
            children,
        }
    }

    fn names(tree: &Tree, folded: &[&str]) -> Vec<String> {
        let folded = folded.iter().map(|r| RoleName::new(r).unwrap()).collect();
        let role = |i: u32| tree.line(i as usize).filter(|(_, l)| *l == Line::Role).map(|(b, _)| b.node.role.to_string());
        tree.visible(&folded).into_iter().filter_map(role).collect()
    }

    #[test]
    fn roles_come_before_those_below_them_and_folding_hides_all_of_these() {
        let deep = node("targets", vec![node("targets/a", vec![node("targets/a/b", vec![])]), node("targets/c", vec![])]);
        let tree = Tree::new(node("root", vec![node("timestamp", vec![]), deep]));
        assert_eq!(names(&tree, &[]), ["root", "timestamp", "targets", "targets/a", "targets/a/b", "targets/c"]);
        assert_eq!(names(&tree, &["targets/a"]), ["root", "timestamp", "targets", "targets/a", "targets/c"]);
        assert_eq!(names(&tree, &["targets"]), ["root", "timestamp", "targets"]);
        assert_eq!(names(&tree, &["root"]), ["root"]);
        assert_eq!(tree.branches()[3].guides, [false, true]);
        assert_eq!(tree.branches()[4].guides, [false, true, false]);
    }

    #[test]
    fn a_chain_as_deep_as_a_role_name_allows_is_laid_out() {
        let mut name = format!("targets{}", "/a".repeat(100));
        let mut n = node(&name, vec![]);
        while let Some((up, _)) = name.clone().rsplit_once('/') {
            name = up.to_owned();
            n = node(&name, vec![n]);
        }
        assert_eq!(Tree::new(n).branches().len(), 101);
    }
}
