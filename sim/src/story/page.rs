//! A story as one HTML page: a space-time diagram (Lamport 1978) that needs no network and no other file.

use super::Story;
use serde::Serialize;
use std::time::Duration;

const PAGE: &str = include_str!("page/page.html");
const PARTS: [(&str, &str); 4] = [
    ("style", include_str!("page/page.css")),
    ("model", include_str!("page/model.js")),
    ("diagram", include_str!("page/diagram.js")),
    ("controls", include_str!("page/controls.js")),
];

/// What stands above the diagram.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Heading {
    /// Which run.
    pub title: String,
    /// What it shows.
    pub about: String,
    /// Its seed, as text: a browser's numbers end at 2^53.
    pub seed: String,
    /// In one word.
    pub ending: String,
    /// What was violated.
    pub violation: Option<String>,
    /// The hash of everything that happened.
    pub trace: String,
    /// What was expected, whether it held, what was seen.
    pub expected: Vec<(String, bool, String)>,
    /// What each replica does that lies at some time.
    pub attacks: Vec<Option<String>>,
    /// How long the run was, in virtual time.
    #[serde(serialize_with = "as_micros")]
    pub lasted: Duration,
}

fn as_micros<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(super::micros(*duration).max(1))
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    heading: &'a Heading,
    #[serde(flatten)]
    story: &'a Story,
}

impl Story {
    /// The page.
    pub fn page(&self, heading: &Heading) -> String {
        let whole = Whole { heading, story: &self.in_order() };
        let json = serde_json::to_string(&whole).expect("numbers, strings and lists");
        let mut page = PAGE.replace("{{title}}", &escape(&heading.title));
        for (name, part) in PARTS {
            page = page.replace(&format!("{{{{{name}}}}}"), part.trim_end());
        }
        // Last, because only now nothing in it is taken for a place to fill. No `<` in it can end the element that it stands in.
        page.replace("{{story}}", &json.replace('<', "\\u003c"))
    }

    /// The page looks for moments, so that it wants them in order: a message that was held back was sent later than it was given away.
    fn in_order(&self) -> Self {
        let mut story = self.clone();
        story.messages.sort_by_key(|message| message.3);
        story.marks.sort_by_key(|mark| mark.1);
        story
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
