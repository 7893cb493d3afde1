//! Differences of alerts and limits of what is spent.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    (
        "* query before.maxLength: ours only",
        "a cursor has a bound, so that nobody stores something in it",
    ),
    ("* body threshold_amount.format: ours only", WIDTH),
    ("* 200 threshold_amount.format: ours only", WIDTH),
    ("* 200 data[] threshold_amount.format: ours only", WIDTH),
    (
        "* body threshold_amount.maximum: ours only",
        "larger numbers are not kept as they are by every reader of JSON",
    ),
    ("* 200 notification_channel required: ours demands more", ALWAYS),
    ("* 200 data[] notification_channel required: ours demands more", ALWAYS),
    ("* 200 object.default: theirs only", "an answer always has its object"),
    ("* 200 currency.anyOf: theirs only", ONE_WORD),
    ("* 200 currency.type: ours only", ONE_WORD),
    ("* 200 currency.enum: ours only", ONE_WORD),
    ("* 200 interval.anyOf: theirs only", ONE_WORD),
    ("* 200 interval.type: ours only", ONE_WORD),
    ("* 200 interval.enum: ours only", ONE_WORD),
    ("* 200 enforcement status.anyOf: theirs only", ONE_WORD),
    ("* 200 enforcement status.type: ours only", ONE_WORD),
    ("* 200 enforcement status.enum: ours only", ONE_WORD),
];

const ALWAYS: &str = "members that are always sent are promised";
const ONE_WORD: &str = "the published document allows any word beside the known ones";
const WIDTH: &str = "the published document leaves the width of integers open";
