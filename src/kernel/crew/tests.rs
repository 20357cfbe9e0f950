use super::*;

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Pieces of all sizes on a pool of that size, each written once everywhere.
fn check(threads: usize) {
    pool(threads).install(|| {
        with_shared_steps(|| {
            let crew = Crew::for_pieces_of(0);
            assert_eq!((crew.places(), crew.parts(1000, 0)), (threads, threads));
            let mut values = vec![0_u64; 64 * 7];
            for round in 0..2000_u64 {
                let parts = 1 + round as usize % MOST_PARTS;
                crew.recruit(usize::MAX);
                let cuts = Cuts::even(64, parts);
                crew.share((cuts, Slices::of_rows(&mut values, 7, cuts)), |(range, part)| {
                    assert_eq!(part.len(), 7 * range.len());
                    part.iter_mut().for_each(|value| *value += round + range.start as u64);
                });
            }
            let expected = |unit: u64| -> u64 {
                (0..2000)
                    .map(|round| {
                        let parts = 1 + round % 64;
                        let start = (0..parts).map(|part| part * 64 / parts).filter(|start| *start <= unit);
                        round + start.max().unwrap()
                    })
                    .sum()
            };
            for (unit, values) in values.chunks(7).enumerate() {
                assert!(values.iter().all(|value| *value == expected(unit as u64)), "row {unit}");
            }
        });
    });
}

#[test]
fn every_part_is_done_once_by_any_number_of_threads() {
    let before = helped_parts();
    for threads in [1, 2, 3, 8] {
        check(threads);
    }
    assert!(helped_parts() > before, "nobody helped");
}

#[test]
fn a_panic_in_a_part_is_passed_on_when_all_are_done() {
    pool(3).install(|| {
        with_shared_steps(|| {
            let crew = Crew::for_pieces_of(0);
            for bad in [0, 5, 15] {
                let done = AtomicUsize::new(0);
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    crew.share(Cuts::even(16, 16), |range| {
                        assert_ne!(range.start, bad, "on purpose");
                        done.fetch_add(1, Relaxed);
                    });
                }));
                assert!(caught.is_err());
                assert_eq!(done.into_inner(), 15);
            }
            let done = AtomicUsize::new(0);
            crew.share(Cuts::even(16, 16), |_| _ = done.fetch_add(1, Relaxed));
            assert_eq!(done.into_inner(), 16);
        });
    });
}

#[test]
fn a_panic_whose_payload_panics_when_it_is_dropped_does_not_keep_the_leader_waiting() {
    struct Sour;
    impl Drop for Sour {
        fn drop(&mut self) {
            // The one that is passed on is dropped by this test, in peace.
            assert!(std::thread::panicking(), "on purpose");
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        pool(2).install(|| {
            let crew = Crew::for_pieces_of(usize::MAX);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                crew.share(Cuts::even(16, 16), |_| std::panic::panic_any(Sour));
            }));
            std::mem::forget(caught.expect_err("every part panics"));
            let done = AtomicUsize::new(0);
            crew.share(Cuts::even(16, 16), |_| _ = done.fetch_add(1, Relaxed));
            sender.send(done.into_inner()).unwrap();
        });
    });
    assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(16));
}

#[test]
fn helpers_of_two_crews_do_not_pile_up_on_one_stack() {
    // Two threads lead, the third helps whom it finds, changing sides every ten milliseconds.
    let deepest = AtomicUsize::new(0);
    let lead = || {
        let (crew, start) = (Crew::for_pieces_of(usize::MAX), Instant::now());
        while start.elapsed() < 30 * STAY {
            crew.recruit(usize::MAX);
            crew.share(Cuts::even(16, 16), |_| {
                deepest.fetch_max(HELPING.get() as usize, Relaxed);
                (0..1000).for_each(|_| spin_loop());
            });
        }
    };
    pool(3).install(|| rayon::join(lead, lead));
    assert!(deepest.load(Relaxed) <= 2, "{deepest:?} helpers on one stack");
}

#[test]
fn a_helper_that_looks_for_other_work_is_counted_until_it_has_found_some() {
    pool(2).install(|| {
        let crew = Crew::for_pieces_of(usize::MAX);
        let post = crew.post.as_ref().unwrap();
        // One helper has the only place; no thread is behind it.
        post.present.store(1, Relaxed);
        let counted = |away| {
            post.away.store(away, Relaxed);
            crew.look_who_is_away(post);
            post.helpers()
        };
        assert_eq!([0, 1, 0, 1, 1, 1].map(counted), [1, 1, 1, 1, 0, 0]);
        // Another may have its place then, and one of the two goes when both are there.
        assert_eq!((post.enter(), post.enter()), (Some(2), None));
        assert_eq!([1, 0].map(counted), [1, 1]);
    });
}

#[test]
fn small_pieces_and_pools_of_one_thread_have_no_crew() {
    pool(4).install(|| {
        // Another test may turn the switch on meanwhile, or off.
        let holds = |law: &dyn Fn() -> bool| forced::is_on() || law() || forced::is_on();
        assert!(holds(&|| Crew::for_pieces_of(SHARED_FROM).post.is_none()));
        let crew = Crew::for_pieces_of(3 * SHARED_FROM);
        assert_eq!(crew.places(), 4);
        assert!(holds(&|| helpers_for(3 * SHARED_FROM) == 2));
        assert!(holds(&|| crew.parts(1000, MOST_OF_PART) == 1), "nobody has been called");
    });
    pool(1).install(|| assert!(Crew::for_pieces_of(usize::MAX).post.is_none()));
}

#[test]
fn a_crew_whose_pool_is_busy_waits_for_nobody() {
    // Both threads of the pool lead a crew: neither gets help, and both come to their end.
    let pool = pool(2);
    let sum = AtomicUsize::new(0);
    pool.broadcast(|_| {
        let crew = Crew::for_pieces_of(usize::MAX);
        for _ in 0..100 {
            crew.recruit(usize::MAX);
            crew.share(Cuts::even(10, 10), |range| _ = sum.fetch_add(range.start, Relaxed));
        }
    });
    assert_eq!(sum.into_inner(), 2 * 100 * 45);
}

#[test]
fn blocks_are_rows_of_all_matrices() {
    let mut matrices = Matrices::<f32>::zeros(10, [3, 0, 1].into_iter());
    Crew::alone().share((Cuts::even(7, 3), matrices.cut(Cuts::even(7, 3))), |(range, mut block)| {
        assert_eq!((block.len(), block.get(1).len()), (3, 0));
        let (mut before, mut after) = block.split_at(2);
        before.get_mut(0).fill(range.start as f32);
        after.get_mut(0).iter_mut().zip(before.get(0).chunks(3)).for_each(|(to, row)| *to = row.iter().sum());
    });
    let starts = [0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 4.0];
    assert_eq!(matrices.get(2, 7), starts.map(|start| 3.0 * start));
    assert!(matrices.get(0, 7).chunks(3).zip(starts).all(|(row, start)| row == [start; 3]));
    assert_eq!(matrices.get_mut(0, 10)[21..], [0.0; 9], "rows that were not lent");
}

#[test]
#[should_panic(expected = "ends within the slice")]
fn parts_past_the_end_are_refused() {
    let _ = Slices::of_rows(&mut [0_u8; 9], 2, Cuts::even(5, 2));
}

#[test]
#[should_panic(expected = "a part ends where the next one begins")]
fn cuts_that_fall_are_refused() {
    let _ = Cuts::at(&[0, 3, 2]);
}
