//! Circles in a graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Edges from each node to others.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The shortest way from a node back to itself, without repeating that node; `None` if there is no circle.
pub fn shortest(graph: &Graph) -> Option<Vec<&str>> {
    graph.keys().filter_map(|start| back_to(graph, start)).min_by_key(Vec::len)
}

fn back_to<'a>(graph: &'a Graph, start: &'a str) -> Option<Vec<&'a str>> {
    let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(node) = waiting.pop_front() {
        for next in graph.get(node).into_iter().flatten() {
            if next == start {
                let mut circle = vec![node];
                while let Some(before) =
                    circle.last().filter(|last| **last != start).and_then(|last| reached_from.get(last))
                {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !reached_from.contains_key(next.as_str()) {
                reached_from.insert(next, node);
                waiting.push_back(next);
            }
        }
    }
    None
}

#[test]
fn the_shortest_circle_is_found() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    };
    let tree = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")];
    assert_eq!(shortest(&graph(&tree)), None);
    let long = graph(&[tree.as_slice(), &[("d", "a")]].concat());
    assert_eq!(shortest(&long), Some(vec!["a", "b", "d"]));
    let both = graph(&[tree.as_slice(), &[("d", "a"), ("d", "c")]].concat());
    assert_eq!(shortest(&both), Some(vec!["c", "d"]));
}
