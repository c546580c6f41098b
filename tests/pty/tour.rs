//! The demo's tour: each of its troubles is found, mended by a key, and over.

use super::shell::Shell;

#[test]
fn each_stop_is_found_and_mended_and_over() {
    let mut shell = Shell::start();
    shell.types("$HOLDUP demo --tour; echo left=$?\r");
    for (stop, finding) in [
        ("1 of 3: a lock held across", "held-across-await"),
        ("2 of 3: a worker", "stalled-worker"),
        ("3 of 3: a deadlock", "deadlock"),
    ] {
        shell.shows(stop);
        shell.shows("Found: ");
        shell.until("the finding, the first of all", |screen| {
            screen.contents().lines().any(|line| line.contains('▌') && line.contains(finding))
        });
        shell.types("m");
        shell.shows("Mended: ");
        shell.until("the finding, which is over", |screen| {
            screen.contents().lines().any(|line| line.contains("over") && line.contains(finding))
        });
        shell.types("n");
    }
    shell.shows("That was the tour");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}
