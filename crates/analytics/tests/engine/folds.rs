//! Folds of random scopes, ranges and facets.

use chrono::TimeDelta;
use trailkeeper_analytics::Audience;
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::sheet::{Facet, Fold, Numbers};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::{at, tenant_id};

use crate::recount::{Counts, count, inside};
use crate::world::World;

trailkeeper_testkit::on_both!(crate::world::World::with_history =>
    random_folds_equal_the_recount,
    buckets_of_every_hour_and_day_equal_the_recount,
    an_environment_equals_the_recount,
    empty_questions_have_empty_folds,
);

/// The cells of a facet by the name of their page, type or environment.
fn named(tx: &mut dyn ReadTx, fold: &Fold, facet: Facet) -> Result<Counts> {
    let cells = fold.cells(facet);
    let ids: Vec<u32> = cells.iter().map(|cell| u32::try_from(cell.id).unwrap()).collect();
    let names = match facet {
        Facet::Views => tx.page_keys(&ids)?,
        Facet::Kind => tx.kind_names(&ids)?,
        Facet::Active => ids.iter().map(|id| (*id, id.to_string())).collect(),
        _ => ids.iter().map(|id| (*id, String::new())).collect(),
    };
    Ok(cells.iter().zip(ids).map(|(cell, id)| (names[&id].clone(), (cell.count, cell.distinct))).collect())
}

/// Compares folds with the recount: without a cache, and twice with it.
pub(crate) fn check(world: &World, scope: Scope, env: Option<EnvId>, buckets: &[TimeRange], facets: &[Facet]) {
    compare(world, &World::audience(scope, env), buckets, facets);
    for _ in 0..2 {
        check_cached(world, scope, env, buckets, facets);
    }
}

/// Compares folds with the recount, with the world's cache.
pub(crate) fn check_cached(world: &World, scope: Scope, env: Option<EnvId>, buckets: &[TimeRange], facets: &[Facet]) {
    compare(world, &World::audience(scope, env).with_folds(&world.cache), buckets, facets);
}

fn compare(world: &World, audience: &Audience, buckets: &[TimeRange], facets: &[Facet]) {
    let (scope, env) = (audience.scope(), audience.env());
    world
        .store
        .reading(|tx| {
            let folds = read::folds::<Fold>(tx, audience, buckets, facets)?;
            let numbers = read::folds::<Numbers>(tx, audience, buckets, facets)?;
            assert_eq!((folds.len(), numbers.len()), (buckets.len(), buckets.len()));
            for (fold, numbers) in folds.iter().zip(&numbers) {
                for facet in facets {
                    assert_eq!(numbers.cells(*facet), fold.cells(*facet), "{facet:?}");
                }
            }
            for (bucket, fold) in buckets.iter().zip(&folds) {
                for facet in facets {
                    let expected = count(inside(&world.events, scope, env, *bucket), scope, *facet);
                    let counted = if env.is_some() && *facet == Facet::ActiveAll {
                        let cell = fold.cell(audience.active_key());
                        let ids = fold.ids(audience.active_key()).map_or(0, |ids| ids.len() as u64);
                        assert_eq!(ids, cell.distinct);
                        (cell.count > 0).then(|| (String::new(), (cell.count, cell.distinct))).into_iter().collect()
                    } else {
                        named(tx, fold, *facet)?
                    };
                    assert_eq!(counted, expected, "{facet:?} of {scope:?}, {env:?} in {bucket:?}");
                }
            }
            Ok(())
        })
        .unwrap();
}

impl World {
    fn scope(&self) -> Scope {
        if self.chance(40) { Scope::Everyone } else { Scope::Tenant(self.tenant()) }
    }

    fn facets(&self) -> Vec<Facet> {
        Facet::ALL.into_iter().filter(|_| self.chance(40)).collect()
    }

    /// Ascending buckets, some of them adjacent, some empty, with a gap now and then.
    fn buckets(&self) -> Vec<TimeRange> {
        let mut edges: Vec<_> = (0..2 + self.below(9)).map(|_| self.instant()).collect();
        edges.sort_unstable();
        let pairs = edges.windows(2).map(|pair| TimeRange { start: pair[0], end: pair[1] });
        pairs.filter(|_| self.chance(80)).collect()
    }
}

fn random_folds_equal_the_recount(world: &World) {
    for _ in 0..150 {
        check(world, world.scope(), None, &world.buckets(), &world.facets());
    }
    let always = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T23:59:59Z") };
    for scope in [Scope::Everyone, Scope::Tenant(tenant_id(1)), Scope::Tenant(TenantId::NONE)] {
        check(world, scope, None, &[always], &Facet::ALL);
    }
}

fn buckets_of_every_hour_and_day_equal_the_recount(world: &World) {
    let (start, end) = (at("2025-12-30T00:00:00Z"), at("2026-02-03T00:00:00Z"));
    for offset in [0, 20, 9 * 60, 570] {
        for level in [Level::Hour, Level::Day, Level::Month] {
            let mut from = start + TimeDelta::minutes(offset);
            let mut buckets = Vec::new();
            while from < end {
                let until = level.end(from).unwrap();
                buckets.push(TimeRange { start: from, end: until });
                from = until;
            }
            check(world, Scope::Everyone, None, &buckets, &[Facet::AllViews, Facet::Kind]);
            check(world, Scope::Tenant(tenant_id(1)), None, &buckets, &[Facet::Views, Facet::Active]);
        }
    }
}

fn an_environment_equals_the_recount(world: &World) {
    for round in 0..60 {
        let env = Some(EnvId(1 + round % 4));
        let tenant = Scope::Tenant(world.tenant());
        check(world, tenant, env, &world.buckets(), &[Facet::ActiveAll]);
        check(world, tenant, env, &world.buckets(), &[Facet::Active]);
        check(world, tenant, env, &world.buckets(), &world.facets());
    }
}

fn empty_questions_have_empty_folds(world: &World) {
    let (early, late) = (at("2025-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    check(world, Scope::Everyone, None, &[], &Facet::ALL);
    check(world, Scope::Everyone, None, &[TimeRange { start: early, end: late }], &[]);
    check(world, Scope::Everyone, None, &[TimeRange { start: early, end: early }], &Facet::ALL);
    check(world, Scope::Tenant(tenant_id(99)), None, &[TimeRange { start: early, end: late }], &Facet::ALL);
}
