//! Pages of a control surface with eight knobs: the most used parameters first, then the modules in eights.

use crate::parameters::{Curve, MAIN, Module, modules, table};

/// Knobs of a page.
pub const KNOBS: usize = 8;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Stable for ever: 1 for the first page, 100 times the module's id and the page's number in it for the others.
    pub id: u32,
    /// The module's name, of which this may be one page of several.
    pub section: &'static str,
    pub name: String,
    /// Table indices, at most eight.
    pub parameters: Vec<usize>,
}

/// Every page, in order. A parameter that hosts may not write is on none.
pub fn pages() -> Vec<Page> {
    let main = Page { id: 1, section: "Main", name: "Main".into(), parameters: MAIN.to_vec() };
    std::iter::once(main).chain(modules().iter().flat_map(of_module)).collect()
}

fn of_module(module: &'static Module) -> Vec<Page> {
    let table = table().iter().enumerate();
    let members = table.filter(|(_, row)| row.module == module.name && row.curve != Curve::Status);
    let members: Vec<usize> = members.map(|(index, _)| index).collect();
    let single = members.len() <= KNOBS;
    let page = |(number, parameters): (usize, &[usize])| Page {
        id: 100 * module.id + number as u32 + 1,
        section: module.name,
        name: if single { module.name.to_owned() } else { format!("{} {}", module.name, number + 1) },
        parameters: parameters.to_vec(),
    };
    members.chunks(KNOBS).enumerate().map(page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_parameter_that_a_host_may_write_is_on_one_page_of_its_module() {
        let pages = pages();
        let (first, others) = pages.split_first().unwrap();
        assert_eq!(first.parameters.len(), KNOBS);
        let listed: Vec<usize> = others.iter().flat_map(|page| page.parameters.iter().copied()).collect();
        let writable = |index: &usize| table()[*index].curve != Curve::Status;
        let wanted: HashSet<usize> = (0..table().len()).filter(writable).collect();
        assert_eq!(listed.iter().copied().collect::<HashSet<_>>(), wanted);
        assert_eq!(listed.len(), wanted.len());
        assert!(others.iter().all(|page| page.parameters.iter().all(|&index| table()[index].module == page.section)));
    }

    #[test]
    fn pages_have_ids_and_names_of_their_own_and_eight_knobs_at_most() {
        let pages = pages();
        assert_eq!(pages.iter().map(|page| page.id).collect::<HashSet<_>>().len(), pages.len());
        assert_eq!(pages.iter().map(|page| &page.name).collect::<HashSet<_>>().len(), pages.len());
        assert!(pages.iter().all(|page| (1..=KNOBS).contains(&page.parameters.len())));
    }

    #[test]
    fn modules_have_ids_of_their_own_and_every_one_has_a_parameter() {
        assert_eq!(modules().iter().map(|module| module.id).collect::<HashSet<_>>().len(), modules().len());
        assert!(modules().iter().all(|module| table().iter().any(|row| row.module == module.name)));
    }
}
