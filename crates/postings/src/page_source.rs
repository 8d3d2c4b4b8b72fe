//! Where the pages of a run come from.

use trailkeeper_domain::Result;

/// The pages of one run, which lie in a database.
pub trait PageSource {
    /// The pages with these numbers, in this order. Internal error if one is missing.
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>>;

    /// The run in an error message, such as `posting run 7 of the tenant … in 2026-11`.
    fn name(&self) -> String {
        "posting run".to_owned()
    }
}

impl<S: PageSource + ?Sized> PageSource for &mut S {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        (**self).pages(pages)
    }

    fn name(&self) -> String {
        (**self).name()
    }
}

impl<S: PageSource + ?Sized> PageSource for Box<S> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        (**self).pages(pages)
    }

    fn name(&self) -> String {
        (**self).name()
    }
}
