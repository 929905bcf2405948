//! A run that is told is the run that is not, and its page holds all of it and needs nothing else.

use quorate_ledger::Protocol;
use quorate_scenario::Scenario;
use quorate_sim::campaign::{Campaign, Outcome, Plan, Watch, run_plan, watch_plan};
use serde_json::Value;

const TOLD: Watch = Watch { state: false, story: true };

fn plan(text: &str) -> Plan {
    Plan::of_scenario(&Scenario::parse(text).expect(text)).expect(text)
}

fn page(plan: &Plan, outcome: &Outcome) -> String {
    outcome.page(plan, "a <b>title</b>".to_owned(), String::new()).expect("it was told")
}

/// What the page carries.
fn story(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"story\">").expect("it is there");
    let (json, _) = rest.split_once("</script>").expect("it ends");
    serde_json::from_str(json).expect("it is JSON")
}

fn marks<'a>(story: &'a Value, sort: &'a str) -> impl Iterator<Item = &'a Value> {
    story["marks"].as_array().expect("a list").iter().filter(move |mark| mark[2] == sort)
}

#[test]
fn telling_changes_nothing() {
    for protocol in Protocol::ALL {
        for seed in 0..6 {
            let plan = Campaign::new(protocol, 4).plan(seed);
            let (silent, told) = (run_plan(&plan), watch_plan(&plan, TOLD));
            assert_eq!((silent.trace, silent.events), (told.trace, told.events), "{protocol} SEED={seed}");
            assert!(silent.story.is_none() && told.story.is_some());
        }
    }
}

const BUSY: &str = r#"
name = "busy"
lasts = "6s"
expect = ["agree"]
attacker = [{ replica = 3, attack = "corrupt-signature", from-view = 2 }]
step = [
  { at = "1s", crash = 0 },
  { at = "2s", restart = 0 },
  { at = "3s", pause = 1 },
  { at = "4s", resume = 1 },
  { at = "5s", links = { delay = "5ms", loss = 0.5 } },
]
load = [{ every = "100ms", until = "6s" }]
"#;

#[test]
fn every_message_commit_and_turn_is_on_the_page() {
    let plan = plan(BUSY);
    let outcome = watch_plan(&plan, TOLD);
    let story = story(&page(&plan, &outcome));
    assert_eq!(story["complete"], true);
    let messages = story["messages"].as_array().expect("a list");
    let of = |kind: &str, refused: bool| {
        let number = story["kinds"].as_array().expect("a list").iter().position(|known| known == kind);
        let number = number.and_then(|number| u64::try_from(number).ok());
        messages.iter().filter(|message| message[2].as_u64() == number && (message[4] == -2) == refused).count()
    };
    for (kind, count) in &outcome.messages {
        assert_eq!(u64::try_from(of(kind, false)), Ok(*count), "{kind}: as many as were put on links");
    }
    assert!(of("vote", true) > 0, "whoever spoils its signatures is refused");
    assert!(messages.iter().any(|message| message[4] == -1), "half of them were lost in the end");
    assert!(messages.is_sorted_by_key(|message| message[3].as_u64()));
    let commits: usize = outcome.commits.iter().map(Vec::len).sum();
    assert_eq!(marks(&story, "commit").count(), commits);
    let turns: Vec<_> = marks(&story, "life").filter(|mark| mark[1] != 0).map(|mark| &mark[4]).collect();
    assert_eq!(turns, ["crashes", "starts", "stands still", "goes on"]);
    assert!(marks(&story, "lie").any(|mark| mark[0] == 3 && mark[4] == "lies"));
    assert!(marks(&story, "certificate").count() > 10 && marks(&story, "view").count() > 10);
    let content = |message: &Value| {
        message[6].as_u64().and_then(|number| story["contents"][usize::try_from(number).ok()?].as_str())
    };
    assert!(messages.iter().all(|message| content(message).is_some_and(|content| !content.is_empty())));
}

#[test]
fn a_page_needs_no_other_file_and_takes_no_text_for_markup() {
    let plan = plan(BUSY);
    let page = page(&plan, &watch_plan(&plan, TOLD));
    for outside in ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "{{"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(!page.contains("<b>title") && page.contains("&lt;b>title"));
    assert_eq!(page.matches("</script>").count(), 4);
}
