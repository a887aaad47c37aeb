//! What does the model read of what a message mentions?

use super::Stage;

const CODE: &str = "def evict_expired(entries, now):\n    return [e for e in entries if e.deadline > now]\n";

fn stage() -> Stage {
    Stage::new("turns: [{say: done}]")
        .file("src/cache.py", CODE)
        .file("src/two.py", "class Two:\n    def run(self):\n        pass\n")
}

#[tokio::test]
async fn each_kind_of_mention_adds_one_labelled_block() {
    let stage = stage();
    let app = stage.app();
    let table = [
        ("see @src/cache.py", "<mentioned what=\"src/cache.py\">\n    1  def evict_expired(entries, now):\n"),
        ("see @src/cache.py:2-2.", "<mentioned what=\"src/cache.py:2-2\">\n    2      return"),
        ("what is in @src/?", "<mentioned what=\"src/\">\ncache.py\ntwo.py\n"),
        (
            "explain @symbol:Two.run",
            "<mentioned what=\"function Two.run, src/two.py:2\">\nsrc/two.py:2-3 function Two.run\n    2      def run(self):\n",
        ),
        (
            "@codebase remove what has expired",
            "<mentioned what=\"what a search for `remove what has expired` finds\">\nsrc/cache.py:1-2",
        ),
    ];
    for (text, expected) in table {
        let (whole, notes) = app.with_mentions(text).await;
        assert!(whole.starts_with(text) && whole.contains(expected), "{text}: {whole}");
        assert!(notes.is_empty() && whole.ends_with("\n</mentioned>"), "{text}: {notes:?} {whole}");
    }
}

#[tokio::test]
async fn what_adds_nothing_is_said_and_the_words_stay_as_they_are() {
    let stage = stage().file("server.pem", "planted-key");
    let app = stage.app();
    let table = [
        ("mail me@example.org about @pytest.fixture", None),
        ("see @server.pem", Some("may hold keys")),
        ("see @symbol:evict_expird", Some("no definition is called `evict_expird`")),
        ("see @session:ffffffff", Some("session")),
    ];
    for (text, expected) in table {
        let (whole, notes) = app.with_mentions(text).await;
        assert_eq!(whole, text);
        assert_eq!(notes.len(), usize::from(expected.is_some()), "{text}: {notes:?}");
        assert!(expected.is_none_or(|expected| notes[0].contains(expected)), "{text}: {notes:?}");
    }
}

#[tokio::test]
async fn symbols_are_offered_by_what_was_typed() {
    let stage = stage();
    let app = stage.app();
    let found = app.symbols("EVICT", 5).await.unwrap();
    assert_eq!((found[0].full_name().as_str(), found[0].place().as_str()), ("evict_expired", "src/cache.py:1"));
    assert!(
        app.symbols("", 5).await.unwrap().is_empty() && app.symbols("nothing_like_it", 5).await.unwrap().is_empty()
    );
}
