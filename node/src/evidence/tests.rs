use super::*;
use quorate_consensus::{Exhibit, Proof};
use quorate_types::BoundedVec;

const GENESIS: Digest = Digest([7; 32]);

fn evidence(accused: u16, view: u64) -> Evidence {
    let exhibit = |content: u8| Exhibit {
        content: BoundedVec::new(vec![content; 40]).expect("short"),
        proof: Proof::Attestation(BoundedVec::new(vec![content; 64]).expect("short")),
    };
    Evidence {
        accused: ReplicaId(accused),
        kind: "hotstuff/vote".into(),
        view: View(view),
        height: None,
        first: exhibit(1),
        second: exhibit(2),
    }
}

fn open(directory: &Path) -> EvidenceStore {
    EvidenceStore::open(directory.join("evidence"), GENESIS, |_| Ok(())).expect("a good directory")
}

fn views(store: &EvidenceStore) -> Vec<u64> {
    store.newest_first().iter().map(|piece| piece.view.0).collect()
}

#[test]
fn what_is_kept_is_there_after_a_restart_the_newest_first() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open(dir.path());
    for view in [3, 1, 2] {
        assert_eq!(store.keep(&evidence(3, view)), Keeping::New);
    }
    assert_eq!(store.keep(&evidence(3, 1)), Keeping::Known);
    assert_eq!(views(&store), [2, 1, 3]);
    let again = open(dir.path());
    assert_eq!(views(&again), [2, 1, 3]);
    assert_eq!(again.keep(&evidence(3, 1)), Keeping::Known, "the disk remembers what was accused");
    assert_eq!(again.keep(&evidence(3, 9)), Keeping::New);
    assert_eq!(again.newest_first()[0].decode(), Ok(evidence(3, 9)));
    assert_eq!(again.newest_first()[0].id, 3, "numbers go on");
}

#[test]
fn whoever_goes_on_misbehaving_fills_no_disk_and_crowds_out_nobody() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open(dir.path());
    let kept = (1..=100).filter(|view| store.keep(&evidence(3, *view)) == Keeping::New).count();
    assert_eq!(kept, PIECES_PER_MEMBER);
    assert_eq!(store.keep(&evidence(2, 1)), Keeping::New);
    assert_eq!(fs::read_dir(dir.path().join("evidence")).expect("readable").count(), PIECES_PER_MEMBER + 1);
    assert_eq!(open(dir.path()).count(), PIECES_PER_MEMBER + 1);
}

#[test]
fn a_damaged_file_is_left_out_and_harms_no_other() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open(dir.path());
    (1..=5).for_each(|view| assert_eq!(store.keep(&evidence(3, view)), Keeping::New));
    let files = files(&dir.path().join("evidence")).expect("readable");
    let text = fs::read_to_string(&files[0]).expect("written");
    fs::write(&files[0], &text[..text.len() / 2]).expect("torn");
    fs::write(&files[1], text.replace("\"view\": 1", "\"view\": 7")).expect("changed");
    fs::write(&files[2], [0xff; 100]).expect("garbage");
    fs::write(dir.path().join("evidence/000009-x.partial"), "half").expect("half written");
    fs::write(dir.path().join("evidence/notes.txt"), "mine").expect("a stranger's file");
    let again = open(dir.path());
    assert_eq!(views(&again), [5, 4]);
    assert!(!dir.path().join("evidence/000009-x.partial").exists());
    assert!(dir.path().join("evidence/notes.txt").exists());
    assert_eq!(again.keep(&evidence(3, 1)), Keeping::New, "what was lost can come again");
    let refused = |_: &Evidence| Err(Rejection::Malformed("not signed"));
    let none = EvidenceStore::open(dir.path().join("evidence"), GENESIS, refused).expect("opens");
    assert_eq!(none.count(), 0, "what does not verify is left out");
    let other = EvidenceStore::open(dir.path().join("evidence"), Digest([8; 32]), |_| Ok(())).expect("opens");
    assert_eq!(other.count(), 0, "another chain's is left out");
}
