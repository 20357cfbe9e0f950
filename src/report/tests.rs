//! Pictures of searches: any results can be drawn, and the same results give the same bytes.

use super::{heat_map, parallel_coordinates, search_history};
use crate::error::Error;
use crate::metric::Direction;
use crate::model_selection::{FitRow, FitStatus, Grid, Params, ScorerInfo, SearchResults, Task};

/// Candidates of a grid with these scores, one fold each, by a scorer of either direction.
fn results(grid: &Grid<()>, score: impl Fn(usize) -> f64, direction: Direction) -> SearchResults {
    let candidates = grid.candidates(&()).unwrap();
    let params: Vec<Params> = candidates.iter().map(|candidate| candidate.params().clone()).collect();
    let rows = (0..params.len()).map(|candidate| {
        let mut row = FitRow::started(Task::new(candidate, Some(0)), 8, 2, 1);
        row.test_scores = vec![score(candidate)];
        if row.test_scores[0].is_nan() {
            row.status = FitStatus::Failed { message: "no".into() };
        }
        row
    });
    let rows = rows.collect();
    SearchResults::new(vec![ScorerInfo { name: "r2".into(), direction }], params, rows)
}

fn grid() -> Grid<()> {
    Grid::new()
        .axis("optimizer", ["sgd", "adam", "rms_prop"], |(), _| ())
        .axis("learning_rate", [1e-4, 1e-3, 1e-2, 1e-1], |(), _| ())
        .axis("depth", [1, 2], |(), _| ())
}

fn drawn(results: &SearchResults) -> [String; 3] {
    let draw = || {
        [
            heat_map(results, "r2", "learning_rate", "optimizer").unwrap(),
            parallel_coordinates(results, "r2").unwrap(),
            search_history(results, "r2").unwrap(),
        ]
    };
    assert_eq!(draw(), draw());
    draw()
}

#[test]
fn any_scores_can_be_drawn() {
    let scores: [&dyn Fn(usize) -> f64; 6] = [
        &|i| (i as f64 * 0.7).sin(),
        &|_| f64::NAN,
        &|_| 0.5,
        &|i| if i == 3 { 1.0 } else { f64::NAN },
        &|i| if i % 2 == 0 { f64::MAX } else { f64::MIN },
        &|i| if i % 2 == 0 { f64::INFINITY } else { 1e-300 },
    ];
    for score in scores {
        for direction in [Direction::Maximize, Direction::Minimize] {
            for svg in drawn(&results(&grid(), score, direction)) {
                assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }
}

#[test]
fn the_best_of_the_other_parameters_is_shown_in_a_cell() {
    let up = results(&grid(), |i| i as f64 / 32.0, Direction::Maximize);
    let [map, ..] = drawn(&up);
    // Depth 1 and 2 share a cell: candidates 0 and 1, of which 1/32 is better.
    assert!(map.contains("best over the other parameters"));
    assert!(map.contains(">\n0.03\n") && !map.contains(">\n0\n"), "{map}");
    let down = results(&grid(), |i| i as f64 / 32.0, Direction::Minimize);
    assert!(drawn(&down)[0].contains(">\n0\n"));
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let results = results(&grid(), |i| i as f64, Direction::Maximize);
    let name = |drawn: crate::Result<String>| match drawn.unwrap_err() {
        Error::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(name(heat_map(&results, "mse", "depth", "optimizer")), "scorer");
    assert_eq!(name(heat_map(&results, "r2", "width", "optimizer")), "axis");
    assert_eq!(name(heat_map(&results, "r2", "depth", "depth")), "axes");
    assert_eq!(name(parallel_coordinates(&results, "mse")), "scorer");
    assert_eq!(name(search_history(&results, "mse")), "scorer");
    let many: Vec<usize> = (0..30).collect();
    let wide = Grid::new().axis("units", many, |(), _| ()).axis("depth", [1], |(), _| ());
    let wide = self::results(&wide, |i| i as f64, Direction::Maximize);
    assert_eq!(name(heat_map(&wide, "r2", "units", "depth")), "axis");
    let one = self::results(&Grid::new().axis("depth", [1], |(), _| ()), |_| 1.0, Direction::Maximize);
    assert_eq!(name(parallel_coordinates(&one, "r2")), "results");
    assert!(search_history(&one, "r2").is_ok() && heat_map(&one, "r2", "depth", "depth").is_err());
}

#[test]
fn candidates_without_a_parameter_have_a_place() {
    let conditional = Grid::new().vary(|(), draw| {
        if draw.choice("optimizer", ["sgd", "adam"]) == "sgd" {
            draw.integer("momentum", 0..=2);
        }
    });
    let results = results(&conditional, |i| i as f64, Direction::Maximize);
    assert!(parallel_coordinates(&results, "r2").unwrap().contains(">\nnone\n"));
    assert!(heat_map(&results, "r2", "optimizer", "momentum").is_ok());
}
