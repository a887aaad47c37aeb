use shelf::page;

const TITLES: &[&str] = &["Emma", "Ulysses", "Dracula", "Walden", "Persuasion"];

#[test]
fn the_first_page_starts_with_the_first_title() {
    assert_eq!(page(TITLES, 1, 2).entries, ["Emma", "Ulysses"]);
}

#[test]
fn the_last_page_may_be_short() {
    assert_eq!(page(TITLES, 3, 2).entries, ["Persuasion"]);
}

#[test]
fn a_short_page_counts_as_a_page() {
    assert_eq!(page(TITLES, 1, 2).pages, 3);
}
